import pytest
from report import monthly_report

ORDERS = [(f"2026-{1 + n % 12:02}", n * 0.25) for n in range(20_000)]


@pytest.mark.budget(ms=400)
def test_report_of_a_year():
    lines = monthly_report(ORDERS)
    assert len(lines) == 12


@pytest.mark.budget(ms=400, rounds=5)
def test_report_of_a_year_in_the_median_of_five():
    assert monthly_report(ORDERS)[0].startswith("2026-01")
