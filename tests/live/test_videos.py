"""Videos under gunicorn: waited for, asked for later, failed, abandoned, and never left upstream."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.live.conftest import StartGateway, list_states
from tests.raw_client import open_call
from upstream_emulator.drawing import build_png
from upstream_emulator.emulator import UpstreamEmulator

PATH = "/v1/videos/generations"
LATER: dict[str, Any] = {"async": True}


def film(
    gateway: GatewayProcess, account: str, prompt: str = "一只猫", /, **fields: Any
) -> requests.Response:
    return requests.post(
        gateway.url + PATH,
        headers={"Authorization": f"Bearer {account}"},
        json={"prompt": prompt} | fields,
        timeout=30,
    )


def look(gateway: GatewayProcess, account: str, video_id: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {account}"}
    return requests.get(f"{gateway.url}/v1/videos/{video_id}", headers=headers, timeout=10)


def ask_about(gateway: GatewayProcess, account: str, video_id: str) -> tuple[int, str]:
    """Somebody takes the video for a conversation."""
    answer = requests.post(
        f"{gateway.url}/v1/chat/completions",
        headers={"Authorization": f"Bearer {account}"},
        json={"model": "glm", "conversation_id": video_id, "messages": [{"role": "user", "content": "?"}]},
        timeout=30,
    )
    return answer.status_code, answer.json()["error"]["code"]


def orders(upstream: UpstreamEmulator) -> list[dict[str, Any]]:
    return [sent["body"] for sent in upstream.requests() if sent["path"].endswith("/video-api/v1/chat")]


def test_a_video_is_waited_for_and_its_record_goes(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    answer = film(gateway, account, video_style="油画", mirror_mode="推近").json()
    (video,) = answer["data"]
    assert video["video_url"].endswith(".mp4")
    assert (video["video_duration"], video["resolution"]) == ("6s", "1440x960")
    (order,) = orders(upstream)
    assert "source_list" not in order
    extra = {"emotional_atmosphere": "", "mirror_mode": "推近", "video_style": "油画"}
    assert order["advanced_parameter_extra"] == extra
    upstream.wait_until(lambda state: state["undeleted_videos"] == 0)


def test_a_picture_and_music(gateway: GatewayProcess, upstream: UpstreamEmulator, account: str) -> None:
    url = "data:image/png;base64," + base64.b64encode(build_png(3)).decode()
    answer = film(gateway, account, image_url=url, audio_id="epic-669b809d3915c1ddbb3d6705").json()
    assert answer["data"][0]["video_url"].endswith("_music.mp4")
    assert len(orders(upstream)[0]["source_list"]) == 1


def test_the_account_is_free_while_it_is_filmed(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    video = film(gateway, account, "[[video never=1]]", **LATER).json()
    assert (video["object"], video["status"], video["data"]) == ("video", "processing", [])
    assert 0 <= video["elapsed_seconds"] < 10
    assert 600 < video["expires_at"] - video["created"] <= 1200
    later = look(gateway, account, video["id"]).json()
    assert abs(later["expires_at"] - video["expires_at"]) <= 1
    assert later["elapsed_seconds"] >= 0
    assert list_states(gateway, account) == ["ready"]
    assert look(gateway, account, video["id"]).json()["status"] == "processing"
    assert look(gateway, account + "-other", video["id"]).status_code == 404
    assert ask_about(gateway, account, video["id"]) == (404, "conversation_not_found")
    assert upstream.state()["undeleted_videos"] == 1


def test_a_video_can_be_asked_for_later_also_after_a_restart(
    start_gateway: StartGateway, account: str
) -> None:
    gateway = start_gateway()
    video = film(gateway, account, **LATER).json()
    gateway.close()
    gateway = start_gateway()
    assert look(gateway, account, video["id"]).json()["status"] == "processing"
    headers = {"Authorization": f"Bearer {account}"}
    kept = requests.get(f"{gateway.url}/v1/conversations", headers=headers, timeout=10)
    assert kept.json()["data"] == [], "nobody can talk to a video"
    done = look(gateway, account, video["id"]).json()
    assert done["status"] == "completed"
    assert done["data"][0]["video_url"].endswith(".mp4")


def test_a_failed_video(gateway: GatewayProcess, upstream: UpstreamEmulator, account: str) -> None:
    answer = film(gateway, account, "[[video fail=1]]")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "video_failed")
    assert "内容不合适" in answer.json()["error"]["message"]
    upstream.wait_until(lambda state: state["undeleted_videos"] == 0)


def test_a_video_that_takes_too_long(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    gateway = start_gateway(GLM_VIDEO_SECONDS="1.5")
    answer = film(gateway, account, "[[video never=1]]")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    upstream.wait_until(lambda state: state["undeleted_videos"] == 0)


@pytest.mark.parametrize("confirm", [0, 300])
def test_a_client_that_leaves(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str, confirm: int
) -> None:
    gateway = start_gateway(application="tests.live.patient:app")
    # The order stands before the gateway hears its name: also then nothing may be left behind.
    body = json.dumps({"prompt": f"[[video never=1 confirm={confirm}]]"}).encode()
    client = open_call(gateway.url, "POST", PATH, account, body)
    upstream.wait_until(lambda state: state["undeleted_videos"] == 1)
    client.close()
    upstream.wait_until(lambda state: state["undeleted_videos"] == 0)


def test_a_dead_account_is_passed_over(gateway: GatewayProcess, account: str) -> None:
    assert film(gateway, f"dead-{account},{account}").status_code == 200


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"video_style": "cartoon"}, "video_style"),
        ({"emotional_atmosphere": "x"}, "emotional_atmosphere"),
        ({"mirror_mode": 1}, "mirror_mode"),
        ({"audio_id": "epic"}, "audio_id"),
        ({"audio_id": "epic-1", "async": True}, "audio_id"),
        ({"async": "yes"}, "async"),
        ({"image_url": "ftp://x/y"}, "image_url"),
        ({"image_url": "data:application/pdf;base64,JVBERi0xLjc="}, "image_url"),
    ],
)
def test_what_is_wrong_is_named(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, fields: dict[str, Any], param: str
) -> None:
    answer = film(gateway, account, **fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert orders(upstream) == []
