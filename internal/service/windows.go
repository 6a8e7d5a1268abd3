package service

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// task is a task of the Windows task scheduler: Task Scheduler Schema 1.4 of
// [MS-TSCH]. One for the whole system is started with the machine, for its user,
// who need not be logged in.
func (s Service) task(encoding string) string {
	trigger, logon := "LogonTrigger", "InteractiveToken"
	if s.System {
		trigger, logon = "BootTrigger", "S4U"
	}
	user := ""
	if s.User != "" {
		user = "\n      <UserId>" + escaped(s.User) + "</UserId>"
	}
	owner := ""
	if !s.System {
		owner = user
	}
	var args []string
	for _, a := range s.arguments(s.PassphraseFile) {
		args = append(args, windowsWord(a))
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="%s"?>
<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>weir %s in %s</Description>
  </RegistrationInfo>
  <Triggers>
    <%s>
      <Enabled>true</Enabled>%s
    </%s>
  </Triggers>
  <Principals>
    <Principal id="Author">%s
      <LogonType>%s</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
    <Enabled>true</Enabled>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>%s</Command>
      <Arguments>%s</Arguments>
    </Exec>
  </Actions>
</Task>
`, encoding, s.Role, escaped(s.Dir), trigger, owner, trigger, user, logon, escaped(s.Program), escaped(strings.Join(args, " ")))
}

// windowsWord is an argument as the programs of Windows take their command lines
// apart (CommandLineToArgvW): a quote has a backslash before it, and so has each
// backslash that stands before one.
func windowsWord(arg string) string {
	if arg != "" && !strings.ContainsAny(arg, " \t\"") {
		return arg
	}
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for _, c := range arg {
		switch c {
		case '\\':
			slashes++
			continue
		case '"':
			b.WriteString(strings.Repeat(`\`, 2*slashes+1))
		default:
			b.WriteString(strings.Repeat(`\`, slashes))
		}
		slashes = 0
		b.WriteRune(c)
	}
	b.WriteString(strings.Repeat(`\`, 2*slashes))
	b.WriteByte('"')
	return b.String()
}

// wide is a text in the encoding that schtasks reads files in: UTF-16, the low byte
// first, with a mark before it.
func wide(text string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}
