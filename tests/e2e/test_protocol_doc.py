"""docs/protocol.md is what the program says of itself. To write it anew: SOUK_WRITE_DOCS=1."""
import json
import os
import re
import unittest

from tests.e2e.shop import ROOT, souk

PAGE = ROOT / "docs" / "protocol.md"
BEGIN, END = "<!-- generated: souk messages --markdown -->\n\n", "\n<!-- end of what is generated -->\n"


class ProtocolDoc(unittest.TestCase):
    def test_the_tables_are_those_that_the_program_prints(self):
        page, printed = PAGE.read_text(), souk("messages", "--markdown", check=0).stdout
        head, rest = page.split(BEGIN)
        kept, tail = rest.split(END)
        if os.environ.get("SOUK_WRITE_DOCS"):
            PAGE.write_text(head + BEGIN + printed + END + tail)
        else:
            self.assertEqual(kept, printed, "codec/*.def changed: run this test with SOUK_WRITE_DOCS=1")

    def test_every_public_message_status_and_event_is_on_the_page(self):
        page, vocabulary = PAGE.read_text(), json.loads(souk("messages", "--json", check=0).stdout)
        for message in vocabulary["messages"]:
            self.assertIn(f"### {message['type']}\n" if message["audience"] == "public" else f"`{message['type']}`", page)
        for status in vocabulary["statuses"]:
            self.assertIn(f"| `{status['status']}` |", page)
        for event in vocabulary["events"]:
            self.assertIn(f"| `{event['event']}` |", page)

    def test_the_hand_written_part_names_only_what_exists(self):
        head = PAGE.read_text().split(BEGIN)[0]
        vocabulary = json.loads(souk("messages", "--json", check=0).stdout)
        types = {message["type"] for message in vocabulary["messages"]}
        kinds = {name.split(".")[0] for name in types}
        for kind, verb in re.findall(r"`([a-z]+)\.([a-z]+)`", head):
            if kind in kinds:
                self.assertIn(f"{kind}.{verb}", types)


if __name__ == "__main__":
    unittest.main()
