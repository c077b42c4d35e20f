import asyncio

import pytest

from aigc_models.errors import BadInput, Damaged
from tasks.serve.doors.limits import Limits
from tasks.serve.engine import Busy, Engine, Loading
from tasks.serve.worker import Served
from tasks.use.provenance import Identity


def loaded(models):
    engine = Engine(models, Limits(room=5, cost=5))
    asyncio.run(engine.load())
    return engine


def test_engine_is_not_ready_before_loading(words):
    engine = Engine({"prose": Served(Identity(model="prose"), words)})
    assert not engine.ready
    with pytest.raises(Loading, match="being loaded"):
        engine.workers()


def test_model_that_cannot_be_loaded():
    def fail():
        raise Damaged("weights.safetensors is not what its digest says")

    engine = loaded({"prose": Served(Identity(model="prose"), fail)})
    assert isinstance(engine.failure, Damaged)
    with pytest.raises(Loading, match="is not what its digest says"):
        engine.workers()


def test_queue_has_a_bound():
    engine = Engine({}, Limits(room=5, cost=5))
    with engine.admitted(3), pytest.raises(Busy, match="3 items"), engine.admitted(3):
        pass
    assert engine.waiting == 0


def test_worker_by_name_and_modality(words, pictures):
    async def scene():
        models = {"prose": words, "tales": words, "digits": pictures}
        engine = Engine({name: Served(Identity(model=name), make) for name, make in models.items()})
        await engine.load()
        assert engine.worker("tales", "text").identity.model == "tales"
        assert engine.worker(None, "image").identity.model == "digits"
        with pytest.raises(BadInput, match="say which model; those that make text: prose, tales"):
            engine.worker(None, "text")
        with pytest.raises(BadInput, match="'prose' makes text; those that make image: digits"):
            engine.worker("prose", "image")
        with pytest.raises(KeyError):
            engine.worker("nobody", "text")
        await engine.close()

    asyncio.run(scene())
