# SPDX-License-Identifier: Apache-2.0
"""examples/online-retail/run against a stand-in for souk: it is content with a right node and with none that has a
planted fault."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
RUN = HERE.parents[1] / "examples" / "online-retail" / "run"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
ROWS = [("1", "10001", 20), ("2", "10002", 5), ("50", "10002", 2), ("51", "10001", 10), ("51", "10002", 1)]


class Run(unittest.TestCase):
    def setUp(self):
        self.room = tempfile.TemporaryDirectory()
        self.addCleanup(self.room.cleanup)
        self.directory = pathlib.Path(self.room.name) / "run"
        self.csv = pathlib.Path(self.room.name) / "year.csv"
        self.csv.write_text(HEADER + "".join(f"{invoice},{code},MUG,{quantity},2010-12-01 08:26:00,1.5,17850.0,UK\n"
                                             for invoice, code, quantity in ROWS))

    def run_year(self, *words, fault=""):
        return subprocess.run([sys.executable, RUN, self.csv, "--souk", HERE / "fake_souk.py", "-d", self.directory,
                               *words], env=os.environ | {"FAKE_FAULT": fault}, cwd="/", capture_output=True, text=True)

    def test_a_right_node(self):
        for window in ("1", "64"):
            done = self.run_year("--window", window)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("2 orders confirmed, 1 out_of_stock, 1 payment_failed; £37.50 captured; "
                          "25 units sold, 10 left", done.stdout)
            self.assertFalse(self.directory.exists())

    def test_keep_keeps_and_a_used_directory_is_refused(self):
        self.assertEqual(self.run_year("--keep").returncode, 0)
        self.assertTrue((self.directory / "orders.replies").exists())
        self.assertEqual(self.run_year().returncode, 2)

    def test_canaries(self):
        for fault in ("oversell", "charge", "leak", "lose", "price", "audit", "replay", "crash"):
            for window in ("1", "64"):
                with self.subTest(fault=fault, window=window), tempfile.TemporaryDirectory() as name:
                    self.directory = pathlib.Path(name)
                    done = self.run_year("--window", window, fault=fault)
                    self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                    self.assertIn("FAIL", done.stdout + done.stderr)

    def test_missing_data_are_skipped_with_77(self):
        self.csv.unlink()
        self.assertEqual(self.run_year().returncode, 77)


if __name__ == "__main__":
    unittest.main()
