package bridge_test

const storiesIntroduction = `# Call stories
`

type storyChapter struct {
	heading, text string
	captures      []string
}

var storyChapters = []storyChapter{
	{"Transfers", "x", []string{"attended_transfer", "inbound_group", "inbound_menu", "outbound_fail_over"}},
}
