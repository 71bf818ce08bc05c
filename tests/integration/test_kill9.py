"""kill -9 at random moments: the agent always starts again, and its incumbent is intact.

--kills N says how often (200 in the full run); PRIMACY_SEED replays the moments.
"""

import random

from primacy_harness import default_config, wait_until


def _switch_over(topology, old, new):
    """Without loss, the new primary opened only after the old one is closed."""
    topology.make_read_only(old)
    topology.wait_caught_up(new, old)
    topology.detach(new)
    topology.make_writable(new)
    topology.follow(old, new, wait=False)


def test_the_incumbent_outlives_kill_9(local_topology, make_agent, request, seed):
    """The agent is killed while it watches, while it learns of a new primary, while it starts.

    After each kill both candidates are stopped, so that nothing can be learnt anew: what the agent
    says then comes from its disk alone, and has to be the old name or the new one, and the right
    one of the two when the agent had said so before it died.
    """
    chooser = random.Random(seed)
    topology = local_topology
    config = default_config(topology, probe_timeout="200ms", confirm_for="100ms", confirm_polls=1)
    agent = make_agent(config).start()
    primary, other = "db1", "db3"
    agent.wait_for(lambda seen: seen["incumbent"] == primary, what="the first incumbent")
    told = primary  # what the agent has said last
    counts = {"watching": 0, "switching": 0, "starting": 0}

    for number in range(request.config.getoption("--kills")):
        manner = chooser.choice(["watching", "switching", "switching", "starting"])
        counts[manner] += 1
        where = f"kill {number} (seed {seed}, {manner})"
        moment = chooser.uniform(0, 0.4)
        allowed = {primary}
        if manner == "switching":
            _switch_over(topology, primary, other)
            primary, other = other, primary
            allowed = {primary, other}
        elif manner == "starting":
            agent.kill()
            agent.launch()
            moment = chooser.uniform(0, 0.1)
        told = _wait_and_listen(agent, moment, told)
        agent.kill()
        if told == primary:
            allowed = {primary}

        for name in (primary, other):
            topology[name].pause()
        agent.start()
        found = agent.topology()["incumbent"]
        assert found in allowed, f"{where}: incumbent {found}, not {allowed}"
        for name in (primary, other):
            topology[name].resume()
        agent.wait_for(lambda seen: seen["incumbent"] == primary, cap=15,
                       what=f"{where}: the incumbent to be {primary}")
        told = primary
        if manner == "switching":
            topology.wait_replicating(other)
            topology.follow("db2", primary)
    print(f"seed {seed}: {counts}")
    assert agent.metric("primacy_split_brains_total", topology="shop") == 0


def _wait_and_listen(agent, seconds, told):
    """Lets that time pass; returns the incumbent that the agent named last."""
    from time import monotonic
    end = monotonic() + seconds
    last = [told]

    def listen():
        try:
            last[0] = agent.topology()["incumbent"] or last[0]
        except (OSError, AssertionError):
            pass  # it is starting
        return monotonic() >= end
    wait_until(listen, seconds + 30, "the moment", interval=0.01)
    return last[0]
