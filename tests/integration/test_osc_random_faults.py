"""Schema changes through faults that a seed draws: whatever happens, no row is lost, the table can
be written to, and what is left is what `osc show` and `osc cleanup --dry-run` say.

    python3 -m pytest tests/integration/test_osc_random_faults.py --osc-trials 100
    PRIMACY_SEED=7 python3 -m pytest … --osc-trials 100 -k 'faults[mariadb-42]'      one of them again
"""

import pytest

from osc_faults import FAULTS, TOOLS_OF, Trial, draw
from primacy_harness.schema_change import ChangingTable
from primacy_harness.tools import find_tool
from test_osc_jobs import alterable, make_jobs  # noqa: F401

pytestmark = pytest.mark.core

ROWS = 6000
_PROGRAMS = {"pt-osc": "pt-online-schema-change", "gh-ost": "gh-ost-1.1.10"}


@pytest.fixture
def changing(alterable, seed):  # noqa: F811
    """Made anew whatever the last trial did to it."""
    alterable.restore()
    made = ChangingTable(alterable, rows=ROWS, seed=seed)
    yield made
    made.stop()


def test_what_is_drawn():
    """The plans come from the seed alone, and a hundred of them have every fault and every tool."""
    plans = [draw(7, number, "mariadb-11.8") for number in range(100)]
    assert plans == [draw(7, number, "mariadb-11.8") for number in range(100)]
    assert {plan.fault for plan in plans} == set(FAULTS)
    assert {plan.tool for plan in plans} == set(TOOLS_OF["mariadb-11.8"])


def test_faults(alterable, changing, make_jobs, kind, seed, osc_trial):  # noqa: F811
    plan = draw(seed, osc_trial, kind.name)
    path = find_tool(_PROGRAMS[plan.tool])
    if not path:
        pytest.skip(f"{plan.tool} was not found; run tools/deps.sh")
    jobs = make_jobs(**{plan.tool.replace("-", "_"): path, "keep_old": "0s"})
    trial = Trial(plan, alterable, changing, jobs)
    try:
        trial.run()
    except AssertionError as failure:
        raise AssertionError(f"PRIMACY_SEED={seed} trial {osc_trial}: {plan}\n{failure}\n"
                             + "\n".join(trial.story)) from failure
    print(f"trial {osc_trial}: {plan} ended {trial.ended}")
