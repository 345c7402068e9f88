import subprocess
import sys


def test_ingest_starts_without_what_only_webhooks_need() -> None:
    program = (
        "import sys, functions.ingest.app\n"
        "print(*(name for name in sys.modules if 'webhook' in name or name == 'functions.ingest.sources'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
