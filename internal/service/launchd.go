package service

import (
	"encoding/xml"
	"fmt"
	"path"
	"strings"
)

// plist is a property list as launchd.plist(5) describes it.
func (s Service) plist() string {
	var b strings.Builder
	key := func(name, value string) { fmt.Fprintf(&b, "  <key>%s</key>\n  %s\n", name, value) }
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
`)
	key("Label", text(s.Name()))
	args := "<array>\n"
	for _, a := range append([]string{s.Program}, s.arguments(s.PassphraseFile)...) {
		args += "    " + text(a) + "\n"
	}
	key("ProgramArguments", args+"  </array>")
	if s.System {
		key("UserName", text(s.User))
	}
	key("RunAtLoad", "<true/>")
	key("KeepAlive", "<dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>")
	key("ThrottleInterval", "<integer>30</integer>")
	key("ProcessType", text("Background"))
	key("Umask", "<integer>63</integer>") // 077
	key("StandardOutPath", text(s.log()))
	key("StandardErrorPath", text(s.log()))
	b.WriteString("</dict>\n</plist>\n")
	return b.String()
}

// log is where launchd writes what a service says.
func (s Service) log() string {
	dir := path.Join(s.Home, "Library/Logs")
	if s.System {
		dir = "/Library/Logs"
	}
	return path.Join(dir, s.Name()+".log")
}

// text is a string element.
func text(value string) string { return "<string>" + escaped(value) + "</string>" }

func escaped(value string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(value))
	return b.String()
}
