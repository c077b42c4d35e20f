import pytest

from tasks.train.budget import divide, makespan
from tasks.train.members import MemberSettings


@pytest.mark.parametrize(
    ("shares", "lanes", "expected"), [([3, 2, 1], 2, 3), ([1, 1, 1], 2, 2), ([2, 1], 1, 3), ([], 2, 0), ([5], 4, 5)]
)
def test_makespan_is_that_of_the_longest_lane(shares, lanes, expected):
    assert makespan(shares, lanes) == expected


def test_members_fill_the_cores_for_the_budget_and_no_longer():
    members = [MemberSettings(family=name, share=share) for name, share in (("vae", 1), ("flow_matching", 3), ("gan", 2))]
    planned = divide(60, members, cores=2, seed=5, device="cpu")
    assert {member.name: member.seconds for member in planned} == {"flow_matching": 60, "gan": 40, "vae": 20}
    assert [member.name for member in planned] == ["flow_matching", "gan", "vae"], "the longest starts first"


def test_seeds_differ_and_threads_share_the_cores():
    members = [MemberSettings(family="gan"), MemberSettings(family="vae")]
    planned = divide(10, members, cores=8, seed=3, device="cpu")
    assert {member.seed for member in planned} == {3, 4}
    assert {member.threads for member in planned} == {4}


def test_what_a_member_states_itself_stands():
    stated = MemberSettings(family="gan", steps=7, seed=9, threads=1, device="cuda")
    (planned,) = divide(10, [stated], cores=4, seed=3, device="cpu")
    assert (planned.steps, planned.seconds, planned.seed, planned.threads, planned.device) == (7, None, 9, 1, "cuda")
