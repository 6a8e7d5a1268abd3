// Package service has a manager or an agent started by the system: it writes what
// systemd, launchd and the Windows task scheduler want to know of it, and tells
// them. It opens no data and needs no network.
//
// A caller fills a Service in and asks for its Text, to be looked at, or calls
// Install, Remove or Status, which run the system's own programs (systemctl,
// launchctl, schtasks). The texts depend on the Service alone and can be made on
// any system.
package service
