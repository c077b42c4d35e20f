import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from aigc_models.errors import BadInput
from aigc_models.language.term_features import TermFeatures

TEXTS = ["a cat sat", "the cat ran", "ünder the mat"]


def made(**options) -> TermFeatures:
    return TermFeatures({"words": TfidfVectorizer(**options), "letters": TfidfVectorizer(analyzer="char", ngram_range=(1, 2))})


def test_counts_as_scikit_learn_does_and_again_from_its_tensors() -> None:
    one, other = made(), made()
    features = one.fit(TEXTS)
    assert np.allclose(
        features[:, : len(one.vectorisers["words"].idf_)].toarray(), TfidfVectorizer().fit_transform(TEXTS).toarray()
    )
    state = one.state_dict()
    assert all(isinstance(tensor, torch.Tensor) for tensor in state.values())
    other.load_state_dict(state)
    asked = ["the ünder cat", "nothing of it"]
    assert np.allclose(one.of(asked).toarray(), other.of(asked).toarray(), atol=1e-6)
    assert other.count == one.count == features.shape[1]


def test_a_kind_without_terms_is_left_out() -> None:
    features = made(min_df=4)
    assert features.fit(TEXTS).shape[1] == features.count
    assert set(features.state_dict()) == {"letters.terms", "letters.idf"}
    with pytest.raises(BadInput, match="no words"):
        TermFeatures({"words": TfidfVectorizer(min_df=4)}).fit(TEXTS)


def test_tensors_that_do_not_fit_each_other_are_refused() -> None:
    one = made()
    one.fit(TEXTS)
    state = one.state_dict()
    with pytest.raises(ValueError, match="how rare"):
        made().load_state_dict(state | {"words.idf": state["words.idf"][1:]})
