"""Where clicks come from: referring pages and apps, in a few groups.

An app that shows pages in itself is told by the browser word of a click, whatever page it names: "Instagram" is a
visitor inside Instagram's app. Else the referring host tells, that of an Android app (``android-app://…``) included.

The tables are our own, from two lists for the same end: Matomo's searchengine-and-social-list (public domain) and
Snowplow's referer-parser, both as of 2025, shortened to what is seen, and with what has come since. A host is looked
up with its parents, so that m.facebook.com is facebook.com; search engines and shops of the world's many countries
by their name before the ending (google.de).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from clickatlas.errors import invalid

GROUPS = ("social", "email", "search", "messages", "assistants", "direct", "other")


class Origin(NamedTuple):
    """A group, and the name of who sent the click; "" where the group has no name for it."""

    group: str
    name: str


DIRECT, OTHER = Origin("direct", ""), Origin("other", "")
_HOSTS = {
    "social": {
        "Facebook": "facebook.com fb.com fb.me fb.gg com.facebook.katana com.facebook.lite",
        "Instagram": "instagram.com com.instagram.android",
        "TikTok": "tiktok.com com.zhiliaoapp.musically com.ss.android.ugc.trill douyin.com com.ss.android.ugc.aweme",
        "LinkedIn": "linkedin.com lnkd.in com.linkedin.android",
        "X": "x.com twitter.com t.co com.twitter.android",
        "Pinterest": "pinterest.com pin.it com.pinterest",
        "Snapchat": "snapchat.com com.snapchat.android",
        "WeChat": "weixin.qq.com wechat.com com.tencent.mm",
        "LINE": "line.me jp.naver.line.android",
        "Threads": "threads.net threads.com com.instagram.barcelona",
        "YouTube": "youtube.com youtu.be com.google.android.youtube",
        "Reddit": "reddit.com redd.it com.reddit.frontpage",
        "Bluesky": "bsky.app go.bsky.app xyz.blueskyweb.app",
        "Mastodon": "mastodon.social mastodon.online mstdn.social org.joinmastodon.android",
        "Tumblr": "tumblr.com com.tumblr",
        "VK": "vk.com vk.ru com.vkontakte.android",
        "OK": "ok.ru ru.ok.android",
        "Weibo": "weibo.com weibo.cn t.cn com.sina.weibo",
        "Xing": "xing.com com.xing.android",
        "Quora": "quora.com com.quora.android",
        "Twitch": "twitch.tv tv.twitch.android.app",
        "Hacker News": "news.ycombinator.com",
        "Medium": "medium.com com.medium.reader",
        "Substack": "substack.com com.substack.app",
        "KakaoTalk": "kakao.com com.kakao.talk",
        "Xiaohongshu": "xiaohongshu.com xhslink.com com.xingin.xhs",
        "Nextdoor": "nextdoor.com com.nextdoor",
    },
    "email": {
        "Gmail": "mail.google.com com.google.android.gm",
        "Outlook": "outlook.live.com outlook.office.com outlook.office365.com outlook.com hotmail.com"
        " safelinks.protection.outlook.com com.microsoft.office.outlook statics.teams.cdn.office.net",
        "Yahoo Mail": "mail.yahoo.com mail.yahoo.co.jp com.yahoo.mobile.client.android.mail",
        "iCloud Mail": "icloud.com",
        "Proton Mail": "mail.proton.me mail.protonmail.com ch.protonmail.android",
        "GMX": "gmx.net gmx.com gmx.at gmx.ch deref-gmx.net de.gmx.mobile.android.mail",
        "Web.de": "web.de deref-web-02.de de.web.mobile.android.mail",
        "T-Online": "email.t-online.de",
        "AOL Mail": "mail.aol.com com.aol.mobile.aolapp",
        "Mail.ru": "e.mail.ru ru.mail.mailapp",
        "Yandex Mail": "mail.yandex.ru mail.yandex.com ru.yandex.mail",
        "Zoho Mail": "mail.zoho.com mail.zoho.eu com.zoho.mail",
        "Fastmail": "fastmail.com com.fastmail.app",
        "QQ Mail": "mail.qq.com wx.mail.qq.com com.tencent.androidqqmail",
        "163 Mail": "mail.163.com mail.126.com",
        "Orange": "messagerie.orange.fr",
        "Thunderbird": "com.fsck.k9 net.thunderbird.android",
        "Samsung Email": "com.samsung.android.email.provider",
    },
    "search": {
        "Google": "com.google.android.googlequicksearchbox cse.google.com",
        "Bing": "bing.com com.microsoft.bing",
        "DuckDuckGo": "duckduckgo.com com.duckduckgo.mobile.android",
        "Yahoo": "search.yahoo.com search.yahoo.co.jp r.search.yahoo.com",
        "Ecosia": "ecosia.org com.ecosia.android",
        "Baidu": "baidu.com com.baidu.searchbox",
        "Naver": "naver.com com.nhn.android.search",
        "Brave": "search.brave.com",
        "Startpage": "startpage.com",
        "Qwant": "qwant.com",
        "Sogou": "sogou.com",
        "So": "so.com",
        "Seznam": "seznam.cz search.seznam.cz",
        "Kagi": "kagi.com",
        "Daum": "search.daum.net",
        "AOL": "search.aol.com",
        "Coc Coc": "coccoc.com",
        "MetaGer": "metager.org metager.de",
    },
    "messages": {
        "WhatsApp": "whatsapp.com wa.me com.whatsapp com.whatsapp.w4b",
        "Telegram": "telegram.org telegram.me t.me web.telegram.org org.telegram.messenger",
        "Facebook Messenger": "messenger.com com.facebook.orca",
        "Slack": "slack.com com.slack com.slack.android",
        "Discord": "discord.com discordapp.com com.discord",
        "Microsoft Teams": "teams.microsoft.com teams.live.com com.microsoft.teams",
        "Google Chat": "chat.google.com com.google.android.apps.dynamite",
        "Google Messages": "messages.google.com com.google.android.apps.messaging",
        "Signal": "signal.org org.thoughtcrime.securesms",
        "Viber": "viber.com com.viber.voip",
        "Skype": "web.skype.com com.skype.raider",
        "DingTalk": "dingtalk.com com.alibaba.android.rimet",
    },
    "assistants": {
        "ChatGPT": "chatgpt.com chat.openai.com com.openai.chatgpt",
        "Claude": "claude.ai com.anthropic.claude",
        "Gemini": "gemini.google.com com.google.android.apps.bard",
        "Perplexity": "perplexity.ai ai.perplexity.app.android",
        "Copilot": "copilot.microsoft.com copilot.cloud.microsoft com.microsoft.copilot",
        "DeepSeek": "chat.deepseek.com deepseek.com com.deepseek.chat",
        "Mistral": "chat.mistral.ai",
        "Grok": "grok.com ai.x.grok",
        "Meta AI": "meta.ai",
    },
}
# The name before the ending, of those who are in many countries: google.de, google.co.uk, yandex.kz.
_NAMES = {
    "google": Origin("search", "Google"),
    "yandex": Origin("search", "Yandex"),
    "pinterest": Origin("social", "Pinterest"),
}
# Browser words of apps that show pages in themselves, as `redirect.apps` and uap-core call them.
_BROWSERS = {
    "social": "Facebook Instagram TikTok LinkedIn Twitter Pinterest Snapchat Threads LINE KakaoTalk Reddit Bluesky"
    " Weibo VK",
    "email": "Gmail Outlook Thunderbird",
    "messages": "WhatsApp Telegram Slack Discord DingTalk",
}
_CALLED = {"Twitter": "X"}
APPS = {
    "WeChat Browser": Origin("social", "WeChat"),
    "WeChat": Origin("social", "WeChat"),
    "Facebook Messenger": Origin("messages", "Facebook Messenger"),
    "Microsoft Teams": Origin("messages", "Microsoft Teams"),
    "Yahoo Mail": Origin("email", "Yahoo Mail"),
    "Windows Live Mail": Origin("email", "Outlook"),
    "Apple Mail": Origin("email", "Apple Mail"),
    **{
        word: Origin(group, _CALLED.get(word, word))
        for group, words in _BROWSERS.items()
        for word in words.split()
    },
}
BY_HOST = {
    host: Origin(group, name)
    for group, names in _HOSTS.items()
    for name, hosts in names.items()
    for host in hosts.split()
}
NAMES = {origin.name.lower(): origin.name for origin in (*BY_HOST.values(), *_NAMES.values(), *APPS.values())}


def origin(browser: str, host: str) -> Origin:
    """Where a click comes from, by its browser word and its referring host ("" for none)."""
    return APPS.get(browser) or by_host(host)


@lru_cache(maxsize=20_000)
def by_host(host: str) -> Origin:
    """Where the clicks of a referring host come from, as far as it alone tells."""
    if not host:
        return DIRECT
    labels = host.lower().rstrip(".").split(".")
    for at in range(len(labels)):
        if found := BY_HOST.get(".".join(labels[at:])):
            return found
    # google.de, google.co.uk; but neither docs.google.com, which is no search, nor google.example.com, which is anybody's.
    if labels[0] in _NAMES and (len(labels) == 2 or (len(labels) == 3 and len(labels[1]) <= 3)):
        return _NAMES[labels[0]]
    if any(label in ("webmail", "mail", "roundcube") for label in labels[:-2]):
        return Origin("email", "")
    return OTHER


def origins(values: Iterable[str], *, field: str = "origin") -> tuple[str, ...]:
    """Groups and names of origins, checked: groups in small letters, names as they are called. Raises `Problem` (422)."""
    wanted = set()
    for value in values:
        text = value.strip().lower()
        if text in GROUPS:
            wanted.add(text)
        elif text in NAMES:
            wanted.add(NAMES[text])
        else:
            raise invalid(
                f"There is no origin {value[:40]!r}.",
                remedy=f"Use {', '.join(GROUPS)}, or a name such as Instagram, Gmail or Google.",
                field=field,
            )
    return tuple(sorted(wanted))


def lets_through(wanted: Iterable[str], found: Origin) -> bool:
    """Whether an origin is one of those wanted, by its group or its name."""
    return found.group in wanted or (bool(found.name) and found.name in wanted)
