// Package qr has to do with QR codes: it draws links for paper (Pages, HTML) and
// reads them from pictures (Read).
//
// Paper is SVG, an A4 page each, and one HTML file with all of them to print from a
// browser. Names stand in it as text, so that whoever shows it draws them with its
// own fonts, in every script that it has.
//
// A picture comes from anywhere. What it would cost to open is looked at before it
// is opened, in its first bytes; what cannot be read is an error in plain words,
// and so is whatever the library that looks for codes runs into.
package qr
