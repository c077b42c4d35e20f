from aigc_models.metrics import frechet_distance_real
from aigc_models.metrics._judge import judge
from aigc_models.metrics.frechet_distance import measured


def test_it_is_what_a_replay_drawn_alike_would_score(picture_evidence):
    measurement = frechet_distance_real.measure(picture_evidence)["real"]
    jury = judge(picture_evidence)
    figures = measured(jury, jury.features(picture_evidence.train)[jury.hands(picture_evidence.train)])
    assert measurement.value == figures[0]
    assert measurement.low < measurement.value < measurement.high
    assert len(figures) == 201, "200 resamples"
