from aigc_models.metrics import frechet_distance_real
from aigc_models.metrics._judge import judge
from aigc_models.metrics.frechet_distance import measured


def test_it_is_what_a_replay_drawn_alike_would_score(picture_evidence):
    measurement = frechet_distance_real.measure(picture_evidence)["real"]
    value, draws = measured(judge(picture_evidence), picture_evidence.train)
    assert measurement.value == value
    assert measurement.low < value < measurement.high
    assert len(draws) == 200
