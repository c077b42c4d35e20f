from types import SimpleNamespace

from aigc_models.capabilities import Classifies, Encodes, Generates
from aigc_models.delegation import Able, abilities, able


class Draws:
    def generate(self, conditions, seeds, **sampling):
        return seeds


class Looks:
    def embed(self, batch):
        return batch


def test_the_model_itself_before_its_members():
    model = Looks()
    assert able(model, Encodes) == Able("", model)
    assert able(model, Classifies) is None


def test_the_member_with_the_largest_weight_answers():
    small, large, blind = Looks(), Looks(), Draws()
    weights = {"small": 0.2, "large": 0.3, "blind": 0.5}
    ensemble = SimpleNamespace(members={"small": small, "large": large, "blind": blind}, weights=weights)
    assert able(ensemble, Encodes) == Able("large", large)
    nested = SimpleNamespace(members={"inner": ensemble}, weights={"inner": 1.0})
    assert able(nested, Encodes) == Able("inner", large)


def test_items_of_a_member_are_not_those_of_its_ensemble():
    ensemble = SimpleNamespace(members={"draws": Draws(), "looks": Looks()}, weights={})
    assert able(ensemble, Generates) is not None
    assert abilities(ensemble) == ("encodes",)
