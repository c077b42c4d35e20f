from aigc_models.metrics import classification_accuracy_real


def test_it_measures_one_candidate_and_needs_labels(picture_evidence, unlabelled_evidence):
    measurements = classification_accuracy_real.measure(picture_evidence)
    assert set(measurements) == {"real"}
    assert 0.9 < measurements["real"].low <= measurements["real"].value <= measurements["real"].high <= 1
    assert not classification_accuracy_real.applies(unlabelled_evidence)
