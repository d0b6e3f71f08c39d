import pytest
from slugs import slugify


@pytest.mark.budget(us=500)
def test_a_title(perf):
    assert perf(slugify, "Crème Brûlée, the 2nd edition!") == "creme-brulee-the-2nd-edition"


@pytest.mark.budget("median < 5ms", "p(95) < 50ms")
@pytest.mark.parametrize("words", [10, 100])
def test_a_long_title(perf, words):
    title = " ".join(["Wörter"] * words)
    assert perf(slugify, title).count("worter") == words
