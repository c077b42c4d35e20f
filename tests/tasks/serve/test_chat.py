"""A script is asked for as who spoke, and who is to speak."""

from tasks.serve.chat import ChatRequest


def asked(**fields) -> ChatRequest:
    romeo = {"role": "user", "name": "ROMEO", "content": "But soft!\n"}
    juliet = {"role": "assistant", "name": "JULIET", "content": "Ay me!"}
    return ChatRequest(messages=[romeo, juliet], **fields)


def test_who_is_to_speak_follows_the_last_turn() -> None:
    request = asked(label="ROMEO", stop="!")
    assert request.prompts == ["JULIET:\nAy me!\n\nROMEO:\n"]
    assert request.stops == ("!", "\n\n")


def test_a_scene_begins_with_who_is_to_speak() -> None:
    nothing = ChatRequest(messages=[{"role": "user", "name": "JULIET", "content": " "}], label="ROMEO")
    assert nothing.prompts == ["ROMEO:\n"]


def test_without_names_or_label_messages_are_as_they_are() -> None:
    assert asked().prompts == ["But soft!\n\nAy me!"]
    plain = ChatRequest(messages=[{"role": "user", "content": "a"}, {"role": "user", "content": "b"}], label="ROMEO")
    assert plain.prompts == ["a\nb"]
    assert plain.stops == ()
