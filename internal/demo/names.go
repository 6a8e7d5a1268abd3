package demo

import "fmt"

var rogueNames = [hostileNum]string{"Otto", "Rita", "Fedor"}

var names = []string{
	"Ana", "Ben", "Chloe", "Dinh", "Elif", "Femi", "Goran", "Hana", "Ivo", "Jana", "Kofi", "Lena", "Mira", "Nils", "Olga", "Pia", "Quim", "Rosa", "Sami", "Tove", "Uma",
	"Vera", "Wim", "Xenia", "Yara", "Zeno",
}

func memberName(i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s %d", names[i%len(names)], i/len(names)+1)
}

var thanks = []string{"eggs", "childcare", "bicycle repair", "piano lesson", "firewood", "translation", "haircut", "bread", "garden work", "tax return"}
