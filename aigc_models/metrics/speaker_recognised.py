"""Share of turns whose speaker a plain classifier of words names, beside that of real turns: whether speakers keep their voice.

The classifier is complement naive Bayes on TF-IDF of words (Rennie et al. 2003), trained on the last turns of the train items
without the speaker's name. Candidates speak behind the turn before and the speaker's name, as in a chat. Only for scripts
(`--option items=turns`).
"""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._shares import shares
from aigc_models.metrics._turns import applies, asked, decoded, said
from aigc_models.reading import script

__all__ = ["MODALITIES", "applies", "measure"]

MODALITIES = frozenset({"text"})


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For the candidates that write text (`_writers`), and for the test items under the name `real`, paired by turn."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.naive_bayes import ComplementNB
    from sklearn.pipeline import make_pipeline

    conditions = np.asarray(evidence.train.conditions)
    rows = np.flatnonzero(conditions < len(evidence.shape.labels))
    last = [[turn.words for turn in script.turns(text)][-1:] for text in decoded(evidence.train.take(rows), evidence)]
    pairs = [(words[0], condition) for words, condition in zip(last, conditions[rows].tolist(), strict=True) if words]
    classifier = make_pipeline(TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"), ComplementNB())
    classifier.fit([words for words, _ in pairs], [condition for _, condition in pairs])
    turns = asked(evidence)
    spoken = {name: [text.split(script.APART)[0] for text in texts] for name, texts in said(evidence, headed=True).items()}
    spoken["real"] = [turn.words for turn in turns]
    wanted = np.array([turn.condition for turn in turns])
    return shares({name: (classifier.predict(words) == wanted).astype(float) for name, words in spoken.items()}, "higher")
