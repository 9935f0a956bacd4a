"""Where clicks come from."""

from __future__ import annotations

import pytest

from clickatlas.clicks.origins import Origin, origin, origins
from clickatlas.errors import Problem
from clickatlas.redirect.visitor import read_agent, referrer_host

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 13; Pixel 6; wv) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Version/4.0 Chrome/116.0 Mobile Safari/537.36"
)
APPS = {
    f"{IPHONE} Instagram 300.0.0.10.110 (iPhone14,5; iOS 17_0; en_US)": ("social", "Instagram"),
    f"{ANDROID} Instagram 300.0.0.29.110 Android": ("social", "Instagram"),
    f"{IPHONE} [FBAN/FBIOS;FBAV/430.0.0.30.110;FBDV/iPhone14,5;FBSN/iOS]": ("social", "Facebook"),
    f"{ANDROID} [FB_IAB/FB4A;FBAV/430.0.0.23.113;]": ("social", "Facebook"),
    f"{ANDROID} [FB_IAB/Orca-Android;FBAV/430.0.0.23.113;]": ("messages", "Facebook Messenger"),
    f"{IPHONE} musical_ly_31.0.0 JsSdk/2.0 ByteLocale/en Region/US BytedanceWebview/d8a21c6": ("social", "TikTok"),
    f"{IPHONE} [LinkedInApp]/9.28": ("social", "LinkedIn"),
    f"{ANDROID} [LinkedInApp]": ("social", "LinkedIn"),
    f"{IPHONE} Twitter for iPhone/10.0": ("social", "X"),
    f"{ANDROID} TwitterAndroid": ("social", "X"),
    f"{ANDROID} [Pinterest/Android]": ("social", "Pinterest"),
    f"{IPHONE} Snapchat/12.50.0.33 (like Safari/8616.1.27, panda)": ("social", "Snapchat"),
    f"{IPHONE} MicroMessenger/8.0.40(0x18002831) NetType/WIFI Language/zh_CN": ("social", "WeChat"),
    f"{ANDROID} Line/13.14.0/IAB": ("social", "LINE"),
    f"{ANDROID} Barcelona 300.0 Android": ("social", "Threads"),
    f"{IPHONE} Outlook-iOS/2.0": ("email", "Outlook"),
    ANDROID: ("direct", ""),
}  # fmt: skip
PAGES = {
    "https://l.facebook.com/l.php?u=x": ("social", "Facebook"),
    "https://t.co/abc": ("social", "X"),
    "https://www.google.de/": ("search", "Google"),
    "https://www.google.co.uk/search": ("search", "Google"),
    "https://mail.google.com/mail/u/0": ("email", "Gmail"),
    "android-app://com.google.android.gm/": ("email", "Gmail"),
    "android-app://com.linkedin.android/": ("social", "LinkedIn"),
    "android-app://com.google.android.googlequicksearchbox/": ("search", "Google"),
    "https://eur02.safelinks.protection.outlook.com/": ("email", "Outlook"),
    "https://webmail.example.org/": ("email", ""),
    "https://chatgpt.com/": ("assistants", "ChatGPT"),
    "https://docs.google.com/": ("other", ""),
    "https://google.example.com/": ("other", ""),
    "https://notfacebook.com/": ("other", ""),
    "https://facebook.com.evil.example/": ("other", ""),
    "": ("direct", ""),
}


@pytest.mark.parametrize(("agent", "expected"), APPS.items())
def test_an_app_is_told_by_its_agent(agent: str, expected: tuple[str, str]) -> None:
    assert origin(read_agent(agent)[1], "") == Origin(*expected)


@pytest.mark.parametrize(("page", "expected"), PAGES.items())
def test_a_page_is_told_by_its_host(page: str, expected: tuple[str, str]) -> None:
    assert origin("Chrome", referrer_host(page)) == Origin(*expected)


def test_an_app_comes_before_the_page_it_names() -> None:
    assert origin("Instagram", "l.facebook.com").name == "Instagram"


def test_an_origin_that_is_none_is_refused() -> None:
    assert origins(["Social", "instagram"]) == ("Instagram", "social")
    with pytest.raises(Problem, match="no origin"):
        origins(["nobody"])
