"""The harness sees what sanitizers report, also of a program that is killed before it ends."""

from __future__ import annotations

import textwrap

import pytest
from harness.process import Program, run, wait_until
from harness.sanitizer import environment, fail_on_reports, take_reports

MISTAKES = {
    "address": ("heap-use-after-free", "char *p = malloc(1); free(p); sink = *p;"),
    "undefined": ("signed integer overflow", "int n = 2147483647; n += argc; sink = n;"),
    "thread": ("data race", "pthread_t t; pthread_create(&t, NULL, race, NULL); race(&t); pthread_join(t, NULL);"),
}
PROGRAM = """
    #include <pthread.h>
    #include <stdlib.h>
    #include <unistd.h>

    static int sink;

    static void *race(void *nothing)
    {
        /* Often: two that meet in the very same instant may be missed. */
        for (int i = 0; i < 100000; i++)
            sink = i;
        return nothing;
    }

    int main(int argc, char **argv)
    {
        (void)race;
        (void)argv;
        %s
        return pause();
    }
"""


@pytest.mark.parametrize("sanitizer", sorted(MISTAKES))
def test_a_report_fails_the_test_even_of_a_program_that_is_killed(tmp_path, sanitizer):
    words, mistake = MISTAKES[sanitizer]
    source, program, folder = tmp_path / "it.c", tmp_path / "it", tmp_path / "reports"
    folder.mkdir()
    source.write_text(textwrap.dedent(PROGRAM % mistake))
    # As in our builds with sanitizers, one of which has two of them.
    chosen = ["-fsanitize=thread"] if sanitizer == "thread" else ["-fsanitize=address,undefined", "-static-libubsan"]
    made = run(["gcc", "-g", *chosen, "-fno-sanitize-recover=all", source, "-o", program])
    assert made.returncode == 0, made.stderr
    child = Program("it", tmp_path, [program], environment(folder))
    child.launch()
    try:
        wait_until(lambda: any(words in path.read_text() for path in folder.iterdir()), 30, "there is a report")
    finally:
        child.kill()
    with pytest.raises(pytest.fail.Exception, match=words):
        fail_on_reports(folder)
    assert take_reports(folder) == ""
    fail_on_reports(folder)
