"""The check of the lock files finds what is loose."""

from tests.locks import loose_npm, loose_python, main

HASH = "--hash=sha256:" + "0" * 64


def test_ours_are_tight() -> None:
    assert main() == 0


def test_loose_entries_are_found() -> None:
    for good in (
        f"a==1.0 \\\n    {HASH} \\\n    {HASH}\n",
        f"a[b]==1 ; sys_platform == 'win32' \\\n    {HASH}\n",
        "# note\n",
    ):
        assert loose_python(good) == []
    for bad in (
        "a==1.0\n",
        f"a>=1.0 {HASH}\n",
        f"a {HASH}\n",
        f"a==1.* {HASH}\n",
        "-e .\n",
        f"a @ https://x/y.whl {HASH}\n",
    ):
        assert len(loose_python(bad)) == 1, bad
    assert loose_npm(
        '{"packages": {"": {}, "a": {"version": "1", "integrity": "sha512-x"}, "b": {"version": "1"}}}'
    ) == ["b"]
