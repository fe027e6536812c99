"""Running the eos program from Python."""
import os

import eos_reader
import pytest


@pytest.fixture(autouse=True)
def named_program():
    if not os.environ.get("EOS_PROGRAM"):
        pytest.skip("EOS_PROGRAM is not set: run these tests with ctest")


def test_it_returns_what_the_program_prints_and_takes_anything_that_has_words():
    assert "unknown key" in eos_reader.eos("explain", "E102")
    assert "eos " in eos_reader.eos("--version")


def test_a_refusal_is_an_error_with_the_programs_own_words(tmp_path):
    problem = tmp_path / "problem.toml"
    problem.write_text("[problem]\nhorizn = 3\n")
    with pytest.raises(eos_reader.CommandError, match=r"(?s)ended with 2.*did you mean 'horizon'"):
        eos_reader.eos("plan", problem)


def test_a_program_named_by_the_environment_comes_first(monkeypatch):
    monkeypatch.setenv("EOS_PROGRAM", "/nowhere/eos")
    assert eos_reader.program() == "/nowhere/eos"
    with pytest.raises(FileNotFoundError):
        eos_reader.eos("--version")
