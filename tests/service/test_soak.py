"""A short run of each part of the soak (`make soak` runs them long)."""

from pathlib import Path

from live_service import live_service
from soak import crowd, kills


def test_a_job_succeeds_unaided_whenever_the_service_is_killed(tmp_path: Path, tiny_bases: Path) -> None:
    with live_service(tmp_path / "home", tiny_bases) as service:
        killed = kills.run(service, 2, seed=1)
    assert len(killed) == 2
    for kill in killed:
        assert kill.unaided and kill.faults == [], kill


def test_a_class_meets_no_error_loses_no_event_and_takes_turns(tmp_path: Path, tiny_bases: Path) -> None:
    met = crowd.run(tmp_path, tiny_bases, learners=4, seconds=30, model="tiny")
    assert [(learner.errors, learner.lost) for learner in met.learners] == [([], [])] * 4
    assert all(learner.trained and learner.looks and learner.chats for learner in met.learners)
    assert met.turns >= 4 and met.unfair == 0
