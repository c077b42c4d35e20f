import pytest

from aigc_models.errors import BadInput
from tasks.stage.links import below, is_file, leads_out, refuse_links


def test_where_a_link_leads(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "file").write_text("")
    (tmp_path / "inner").mkdir()
    links = {"in": "file", "out": "../inner", "loop": "loop", "gone": "nowhere", "gone_out": "../nowhere"}
    for name, target in links.items():
        (tmp_path / "in" / f"to_{name}").symlink_to(target)
    places = ("file", "deep", "to_in", "to_out", "to_out/below", "to_loop", "to_gone", "to_gone_out", "not_there")
    assert [name for name in places if leads_out(tmp_path / "in" / name, tmp_path / "in")] == [
        "to_out",
        "to_out/below",
        "to_gone_out",
    ]
    (tmp_path / "way").symlink_to("in")
    assert not leads_out(tmp_path / "way" / "file", tmp_path / "way")


def test_what_lies_below_ends_though_links_go_round(tmp_path):
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for name in ("in/a/file", "out/file"):
        (tmp_path / name).write_text("")
    for name, target in {
        "in/a/up": "..",
        "in/out": "../out",
        "out/self": ".",
        "out/back": "../in",
        "in/more": "../out",
    }.items():
        (tmp_path / name).symlink_to(target)
    files = sorted(name for name, entry, _ in below(tmp_path / "in") if is_file(entry))
    assert files == ["a/file"]
    assert sorted(name for name, _, out in below(tmp_path / "in") if out) == ["more", "out"]
    followed = sorted(name for name, entry, _ in below(tmp_path / "in", follow=True) if is_file(entry))
    assert followed[0] == "a/file"
    assert [name.rpartition("/")[2] for name in followed] == ["file", "file"]


def test_a_link_is_refused_by_name(tmp_path):
    (tmp_path / "plain").write_text("")
    refuse_links(tmp_path.iterdir())
    (tmp_path / "link").symlink_to("plain")
    with pytest.raises(BadInput, match="link is a link, and nothing is written through one"):
        refuse_links(tmp_path.iterdir())
