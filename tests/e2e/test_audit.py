"""The audit streams: its memory does not follow the number of orders, and it shows what it does."""
import json
import os
import subprocess
import unittest

from tests.e2e.shop import SLOW, SOUK, Shop, souk


class Audit(unittest.TestCase):
    def memory_of_audit(self, directory):
        """(report, peak resident kB)"""
        process = subprocess.Popen([SOUK, "audit", "-d", str(directory), "--json", "--memory-mb", "8"], stdout=subprocess.PIPE)
        report = json.loads(process.stdout.read())
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        return report, usage.ru_maxrss

    def test_failure_24_the_audit_ends_in_bounded_memory(self):
        """magento/inventory #2522: 1.1 M orders, over 20 GB, never ends."""
        with Shop(store="", inventory=1, order=1) as shop:
            memory = []
            for _ in range(2):
                souk("bench", "checkout", "--seconds", "3", "--lines", "3", "-e", shop.endpoint, check=0, cwd=shop.directory)
                client = shop.client()
                shop.settle(client)
                client.close()
                shop.stop()
                report, peak = self.memory_of_audit(shop.data)
                self.assertTrue(report["clean"], report)
                memory.append((report["orders"], peak))
                shop.start()
            (few, before), (many, after) = memory
            self.assertGreater(many, few * 1.3)
            if "asan" not in SOUK:
                self.assertLess(after, before + 24 * 1024, memory)


if __name__ == "__main__":
    unittest.main()
