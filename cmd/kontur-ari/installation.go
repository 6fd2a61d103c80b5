package main

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"kontur-ari/configs"
	"kontur-ari/crm"
)

// show prints an instance, and the address to which the CRM sends calls.
func (i *integration) show(now crm.Installation) {
	onOff := map[bool]string{true: "on", false: "off"}
	fmt.Fprintf(i.out, "  instance   %s\n  status     %s\n", now.ID, cmp.Or(now.Status, "not told"))
	fmt.Fprintf(i.out, "  features   call %s, hangup %s, sendSms %s\n", onOff[now.Features.Call], onOff[now.Features.Hangup], onOff[now.Features.SendSMS])
	fmt.Fprintf(i.out, "  base URL   %s\n", cmp.Or(now.BaseURL, "none"))
	if len(now.WebHooks) == 0 {
		fmt.Fprintln(i.out, "  webhook    none")
	}
	for _, hook := range now.WebHooks {
		fmt.Fprintf(i.out, "  webhook    %s\n", webHookText(hook))
	}
	if now.BaseURL != "" {
		base := strings.TrimRight(now.BaseURL, "/")
		fmt.Fprintf(i.out, "  CALL to    %s/api/v1/%s/communications/call\n", base, url.PathEscape(i.cfg.Kontur.Workspace))
	}
}

func webHookText(hook crm.WebHook) string {
	text := hook.RelativeURL + ", " + hook.TriggerType
	if hook.Schedule.Period != "" {
		text += " every " + hook.Schedule.Period
	}
	if hook.Disabled {
		text += ", disabled"
	}
	return text
}

// wantedChanges returns the changes that enable still has to make.
func wantedChanges(now crm.Installation) []change {
	var changes []change
	if !now.Features.Call || !now.Features.Hangup {
		changes = append(changes, change{"CALL and HANGUP switched on", crm.SwitchFeatures(now.Features, true)})
	}
	for _, hook := range crm.TelephonyWebHooks() {
		if _, there := now.WebHook(hook.RelativeURL); !there {
			changes = append(changes, change{"webhook " + hook.RelativeURL + " registered", crm.AddWebHook(hook)})
		}
	}
	return changes
}

// statusAdvice says what to do about each status of an instance except "active".
var statusAdvice = map[string]string{
	"notConfigured": "finish setting the integration up in the CRM",
	"paused":        "somebody has paused the integration in the CRM; let it go on there",
	"hasErrors":     "the CRM has had bad answers; look into the log of kontur-ari for commands that failed",
	"failed":        "the CRM has given the integration up after bad answers; see that kontur-ari runs and is reached, and activate the integration in the CRM",
}

// shortcomings lists the settings that keep the CRM's commands from arriving, each with
// what to do about it. It is empty for an unknown instance.
func shortcomings(now crm.Installation, cfg configs.Config) []string {
	if now.ID == "" {
		return nil // reading the instance failed
	}
	var wrong []string
	if now.Status != "active" {
		wrong = append(wrong, fmt.Sprintf("the status is %q: %s", now.Status, cmp.Or(statusAdvice[now.Status], "look at the integration in the CRM")))
	}
	if !now.Features.Call || !now.Features.Hangup {
		wrong = append(wrong, `CALL and HANGUP are not both on: run "kontur-ari integration enable"`)
	}
	for _, wanted := range crm.TelephonyWebHooks() {
		there, ok := now.WebHook(wanted.RelativeURL)
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf(`the webhook %s is not registered: run "kontur-ari integration enable"`, wanted.RelativeURL))
		case there.Disabled:
			wrong = append(wrong, fmt.Sprintf("the webhook %s is disabled: the CRM does not call it", wanted.RelativeURL))
		case there.TriggerType != wanted.TriggerType:
			wrong = append(wrong, fmt.Sprintf("the webhook %s is triggered by %q, not by %q", wanted.RelativeURL, there.TriggerType, wanted.TriggerType))
		}
	}
	return append(wrong, baseURLShortcomings(now.BaseURL, cfg.Server.BasePath)...)
}

// baseURLShortcomings checks the address to which the CRM sends its commands.
func baseURLShortcomings(baseURL, basePath string) []string {
	address, err := url.Parse(baseURL)
	switch {
	case baseURL == "":
		return []string{"the CRM knows no base URL of this integration, so it can't send commands: enter there where it reaches this host, such as https://pbx.example" + basePath}
	case err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https":
		return []string{"the base URL is no http or https address: enter one such as https://pbx.example" + basePath + " in the CRM"}
	}
	var wrong []string
	if path := strings.TrimRight(address.Path, "/"); path != basePath {
		wrong = append(wrong, fmt.Sprintf("the path of the base URL is %q and server.base_path is %q: make them the same, in the CRM or in the configuration (or have a proxy in front put the one for the other)", path, basePath))
	}
	if address.Scheme == "http" {
		wrong = append(wrong, "the base URL is http: the access keys that come with commands cross the internet unencrypted; use https")
	}
	return wrong
}
