package outbox

import (
	"errors"

	"weir/ledger/wire"
)

// Returned is a sender after number last with chain h, of a log that was taken
// back: messages are everything that was signed after it, oldest first, and
// handed is the highest number that was ever handed to a put. What the window
// cannot carry yet is given back, to be added, with Owe, once there is room.
func Returned(last uint64, h wire.Hash, messages []wire.Message, handed uint64) (s *Sender, rest []wire.Message, err error) {
	s = NewSender(last, h)
	rest, err = s.Owe(messages, handed)
	return s, rest, err
}

// Owe adds messages that were signed before, as many as the window carries, and
// gives back the rest. Those up to number handed cannot be taken back.
func (s *Sender) Owe(messages []wire.Message, handed uint64) (rest []wire.Message, err error) {
	for i, m := range messages {
		err := s.Add(m)
		if errors.Is(err, ErrFull) {
			return messages[i:], nil
		}
		if err != nil {
			return nil, err
		}
		s.handed = max(s.handed, min(handed, s.first+uint64(len(s.messages))-1))
	}
	return nil, nil
}

// Reseal forgets the chunks that were sealed: the next Build makes new ones, for
// another receiver.
func (s *Sender) Reseal() { s.chunks, s.skip = nil, 0 }
