"""The README's first endpoint, run exactly as it is printed there."""

from harness import readme


def test_it_takes_fifteen_lines():
    assert len([line for line in readme.snippet("python").splitlines() if line.strip()]) <= 15


def test_it_works(server):
    ended = readme.run_python(server, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "forecast" in ended.stdout
    assert ended.stderr == ""
