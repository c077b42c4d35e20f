"""Words are cut as they are read, and figures say which is the larger."""

from aigc_models.language.words import NUMBER, YEAR, comparisons, figured, neighbours, number, pieces, texts, words
from aigc_models.modalities import text


def test_words_and_figures_whether_glued_or_torn_apart() -> None:
    assert words("Up 5% to EUR13 .1mn, year-on-year!") == ["up", "5", "%", "to", "eur", "13.1", "mn", ",", "year-on-year", "!"]
    assert [number(word) for word in ("13.1", "1,234.5", "13,1", "1.2.2024", "mn")] == [13.1, 1234.5, 13.1, None, None]


def test_years_are_no_figures() -> None:
    marked, figures = figured("In 2009 sales fell to 7 mn from 2,010 mn")
    assert marked == ["in", YEAR, "sales", "fell", "to", NUMBER, "mn", "from", NUMBER, "mn"]
    assert [each.value for each in figures] == [7.0, 2010.0]


def test_comparisons_of_figures_with_a_unit_are_about_the_words_before() -> None:
    said = comparisons(*figured("profit rose to 13 mn from 9 mn"))
    assert {">", "> from", "same >", "near >", "profit >", "rose >"} <= set(said)
    assert "<" not in said
    other = comparisons(*figured("profit of 9 mn and 13 shares"))
    assert set(other) == {"<", "< mn", "< and"}
    assert comparisons(*figured("profit rose to 13 mn")) == []


def test_neighbours_and_pieces() -> None:
    assert neighbours(["a", "b", "c"], 2) == ["a", "b", "c", "a b", "b c", "a 2c"]
    assert pieces("ab", 2, 3) == [" a", "ab", "b ", " ab", "ab "]
    assert pieces("", 3, 4) == []


def test_texts_are_what_was_encoded() -> None:
    form = text.Format(length=16)
    values = text.encode(["né", "b"], form)
    assert texts(values, form) == texts(values.tensor(), form) == ["né", "b"]
