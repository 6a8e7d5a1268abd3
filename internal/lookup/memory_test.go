package lookup

import "testing"

func TestMemoryStaysBoundedAndHelps(t *testing.T) {
	w := newWorld(t, 12, 200)
	c := w.client(Config{NodesMax: 50}, 2)
	for i := range 40 {
		w.get(c, getOf(signed(t, uint64(i), 1, "x")))
	}
	if n := len(c.Nodes(1000)); n != 50 {
		t.Errorf("remembers %d", n)
	}
	if n := len(c.Nodes(7)); n != 7 {
		t.Errorf("gives %d of 7", n)
	}
	next := w.client(Config{}, 0)
	next.AddNodes(c.Nodes(50))
	if f := w.get(next, getOf(signed(t, 1, 1, "x"))); f.Err != nil || f.Packets > 25 {
		t.Errorf("found %+v", f)
	}
}

func TestDeadNodesAreForgottenButNotWhenWeAreCutOff(t *testing.T) {
	w := newWorld(t, 13, 30)
	c := w.client(Config{}, 2)
	it := signed(t, 1, 1, "x")
	w.get(c, getOf(it))
	known := len(c.Nodes(100))
	w.loss = 1
	for range 4 {
		w.get(c, getOf(it))
	}
	if n := len(c.Nodes(100)); n != known {
		t.Errorf("cut off, it remembers %d of %d", n, known)
	}
	w.loss = 0
	for _, n := range w.closest(it.Target, 5) {
		n.dead = true
	}
	for range 4 {
		w.get(c, getOf(it))
	}
	for _, n := range c.Nodes(100) {
		if w.at[n.Addr].dead {
			t.Errorf("remembers a dead node")
		}
	}
}
