"""Apps that show pages in themselves, where the list of agents (uap-core, which `ua_parser` carries) knows none.

Our own table of words in agent strings, as the apps' own web views sent them in 2024 to 2026; uap-core itself knows
Instagram, Facebook, TikTok, X (as "Twitter"), Pinterest, Snapchat, WeChat and LINE. An app that sends nothing of its
own, such as WhatsApp, Telegram, Gmail on Android or most mail on iOS, opens the system's browser and can't be told by
this: what is left then is the page that it names, ``android-app://com.google.android.gm`` (see `clicks.origins`).
"""

from __future__ import annotations

import re

_APPS = (
    (r"\[LinkedInApp\]|\bLinkedInApp\b", "LinkedIn"),
    (r"\bBarcelona\b", "Threads"),
    (r"FB_IAB/Orca|MessengerForiOS|MessengerLite", "Facebook Messenger"),
    (r"\bKAKAOTALK\b", "KakaoTalk"),
    (r"\bReddit/|\bRedditAndroid\b", "Reddit"),
    (r"Outlook-iOS|Outlook-Android", "Outlook"),
    (r"\bGmail/|\bGoogleMail\b|\bGmailiOS\b", "Gmail"),
    (r"YahooMobileMail|\bYahoo Mail\b", "Yahoo Mail"),
    (r"\bWhatsApp/", "WhatsApp"),
    (r"TelegramBot|Telegram-Android|Telegram-iOS|\bTelegram/", "Telegram"),
    (r"\bSlack/|\bSlack_SSB\b", "Slack"),
    (r"\bDiscord/", "Discord"),
    (r"\bTeams/|\bTeamsMobile\b", "Microsoft Teams"),
    (r"\bBluesky/|xyz\.blueskyweb", "Bluesky"),
    (r"\bWeibo\b|__weibo__", "Weibo"),
    (r"\bDingTalk/", "DingTalk"),
    (r"\bVKAndroidApp/|\bVKShare\b|com\.vk\.vkclient", "VK"),
)
_ANY = re.compile("|".join(pattern for pattern, _ in _APPS))
_EACH = tuple((re.compile(pattern), name) for pattern, name in _APPS)


def app(user_agent: str) -> str | None:
    """The app that a ``User-Agent`` tells of and the list of agents doesn't; None for all others."""
    if not _ANY.search(user_agent):
        return None
    return next(name for pattern, name in _EACH if pattern.search(user_agent))
