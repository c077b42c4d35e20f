import httpx

from aigc_models.generator import Generator


def test_the_server_recommends_at_both_addresses(start, recommender):
    address = start(films=Generator.load(recommender, "cpu"))
    for path in ("/v1/recommendations", "/v1/recommend"):
        answer = httpx.post(f"{address}{path}", json={"items": ["3", "4", "77"], "count": 2}, timeout=30)
        body = answer.json()
        assert (answer.status_code, answer.headers["x-aigc-model"]) == (200, "films")
        assert [row["index"] for row in body["data"]] == [0, 1]
        assert body["data"][0]["item"] == "5 Film 5"
        assert (body["unknown"], body["cold_start"], body["aigc"]["ai_generated"]) == (["77"], False, True)
    wrong = httpx.post(f"{address}/v1/recommendations", json={"items": ["99"]}, timeout=30)
    assert (wrong.status_code, wrong.json()["error"]["message"][:17]) == (400, "unknown item '99'")
    other = httpx.post(f"{address}/v1/completions", json={"model": "films", "prompt": "x"}, timeout=30)
    assert other.status_code == 400
    assert "it is asked to recommend events" in other.json()["error"]["message"]
