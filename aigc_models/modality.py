"""What a modality is: one file of `aigc_models/modalities` with these module-level names.

`Content` is what an item is once it was read: a `str`, uint8 (height, width, channel), a `Sound`, a `Series`, `Events`.

    SUFFIXES: frozenset[str]                                        files that are read as this modality
    suffix: str                                                     of the files that are written
    class Format(BaseModel)                                         frozen: what all encoded items have in common
    read(payload: bytes, name: str) -> Content                      raises `Unreadable`
    validate(content) -> str | None                                 the reason to reject it
    normalise(content) -> Content
    pack(content) -> bytes                                          canonical, also how generated items are written
    unpack(payload: bytes) -> Content
    fingerprint(content) -> Fingerprint
    near_pairs(fingerprints: Sequence[bytes]) -> Iterator[tuple[int, int]]          or, for sets that do not fit in memory,
    bands(fingerprints: Sequence[bytes]) -> ndarray                 uint32 (item, band): near-duplicates share two or more
    traits(content) -> Traits; alike(one: Traits, other: Traits) -> bool
                                                                    what is compared of two that do, and how; or
    positions(near: ndarray) -> ndarray                             float (item, axis) of uint8 (item, byte): near-duplicates
                                                                    lie at most 1 apart on the first axis, and at most 1
                                                                    (Euclidean) on the others together
    alike_prints(one: ndarray, other: ndarray) -> ndarray           bool (pair,): whether pairs are, the earlier first, by
                                                                    fingerprints of one length, uint8 (pair, byte)
    choose_format(contents: Sequence[Content]) -> Format            from train items alone
    encode(contents, format) -> ndarray                             compact storage, item first
    tensor(values: ndarray) -> Tensor                               what models see
    decode(values: Tensor, format) -> list[Content]
    write(content, path: Path) -> Path
    preview(content) -> str                                         a piece of HTML that needs nothing else
    emptiness(content) -> str | None                                in what way an item says nothing (`empty`, `silent`,
                                                                    `black`, ...): if it was generated, that is an outcome
                                                                    which is shown and counted, and never refused
    spread(contents) -> dict[str, Any]                              figures of diversity for the data card

A modality may also have:

    is_packed(payload: bytes) -> bool                               a file is such as `pack` writes, and is kept as it is
                                                                    where nothing of its content is changed
    parts(payload: bytes) -> list[tuple[str, int, bytes]]           the items of one file: what it is called there, the line
                                                                    in which it begins, and its content
    lost(payload: bytes) -> list[str]                               what `read` took from a file, and
    altered(before, after) -> list[str]                             what `normalise` took from an item: words that the data
                                                                    card counts
    larger(format, diversity) -> list[Format]                       formats with more of what the items have than that of
                                                                    `choose_format`, the smallest first, for budgets that
                                                                    allow them; `diversity` is the data card's
    covers(later, earlier) -> bool                                  whether a later state of a file has all of an earlier one
    canvas(format) -> Canvas                                        items as pictures that convolutions learn (`canvas.py`)
    vocabulary(format) -> Vocabulary                                items as symbols, which language models learn; `encode`
                                                                    gives `Sequences`, each item closed by an END
    amounts(values: Sequences, format) -> ndarray                   float64 (item,): what its likelihood is stated for, such
                                                                    as bytes or events
    learned(format, contents: Sequence[Content]) -> Format          the format with what it learns from train items, such as
                                                                    a tokeniser
    encode_train(contents, format) -> Sequences                     `encode` of train items, where these are learnt otherwise
    symbols(content, format, suffix=None) -> ndarray                of what an item may be asked to begin with, and to end in
    unwritten(format) -> tuple[int, ...]                            symbols that a model is given and never draws
    characters(symbols: Iterable[int], format) -> Iterator[str]     symbols as text, as they are drawn
    renderings(content, suffixes: Collection[str] | None = None) -> dict[str, bytes]
                                                                    a generated item as files of other kinds too, by suffix
                                                                    (`.mid`, `.wav`), or those of `suffixes`: the same bytes
                                                                    each time; what an item cannot be is left out
    measures(contents) -> dict[str, ndarray]                        numbers that a person knows (words, brightness, seconds),
                                                                    by name, float64 (item,), finite, in stated units
    embedding(contents) -> ndarray                                  float32 (item, feature): fixed features, about of unit
                                                                    size, by which sets are compared; nothing is learnt

Both of these are the same for an item whatever it is called with, and keep their width for none.

and one whose items are divided inside, by time, instead of into those for training and those for the test:

    borders(contents, validation: float, test: float) -> dict[str, float]
                                                                    the times at which validation and test begin
    before(content, border: float) -> Content                       the part that lies before a time
    windows(contents, format, borders, split) -> tuple[ndarray, ndarray, ndarray]
                                                                    values (window, ...) in the order of time,
                                                                    int64 (window,): which content each is cut from, and
                                                                    float64 (window, 2): when what it asks begins and ends
    given(values: Tensor, format) -> dict[str, Tensor]              what of an encoded item a generator is given
    latest(contents, format) -> ndarray                             (content, ...): the newest past of each, encoded
    tail(content, format) -> Content | None                         that past as content; None where there is too little
    border_dates(contents, borders) -> dict[str, str]               the borders as a reader understands them
    handling(contents) -> dict[str, Any]                            what was done to them on the way, for the data card
    misfits(contents) -> dict[int, str]                             those that cannot be learnt together with most, and why
    pieces(content, format, whole: bool) -> list[Content]           parts of equal length by which it is compared with others;
                                                                    `whole`: as long as what models see
"""

from __future__ import annotations

from types import ModuleType


def divided_inside(modality: ModuleType) -> bool:
    """Whether items are divided inside, by time, rather than among themselves."""
    return hasattr(modality, "borders")
