"""Files that a request attaches: their addresses, their sizes, what they are."""

from __future__ import annotations

from app.catalogue.advice import SEND_DATA_URL
from app.catalogue.message import Code, Message

CODES = {
    "invalid_file": Code(
        Message("unreadable file", "文件无法识别"),
        Message(
            "an attached file is empty, damaged, of a kind that cannot be read, or not what it is said to be",
            "附件为空、损坏、类型无法读取，或与所声明的不符",
        ),
        Message(
            "Send another kind: a picture (PNG, JPEG, GIF, WebP, BMP), PDF, Office or text.",
            "请换成图片（PNG、JPEG、GIF、WebP、BMP）、PDF、Office 或文本。",
        ),
    ),
    "invalid_file_url": Code(
        Message("wrong file address", "文件地址有误"),
        Message(
            "the address of a file is wrong, or leads to a place that files are not fetched from",
            "文件地址有误，或指向不允许获取文件的地方",
        ),
        Message("Use a public http(s) address.", "请使用公网 http(s) 地址。").then(SEND_DATA_URL),
    ),
    "file_unavailable": Code(
        Message("file not to be had", "文件无法获取"),
        Message(
            "the file's server cannot be reached, is too slow, or does not give the file",
            "文件所在服务器无法连接、太慢，或不提供该文件",
        ),
        Message("Check the address.", "请检查地址。").then(SEND_DATA_URL),
    ),
    "file_too_large": Code(
        Message("file too large", "文件过大"),
        Message(
            "a file over `GLM_FILES_MAX_BYTES`, or too large for the upstream",
            "文件超过 `GLM_FILES_MAX_BYTES`，或对上游来说过大",
        ),
        Message("Send a smaller one.", "请发送较小的文件。"),
    ),
}

READABLE = Message(
    "Pictures may be PNG, JPEG, GIF, WebP or BMP; documents PDF, Word, Excel, PowerPoint, RTF, EPUB or text.",
    "图片可为 PNG、JPEG、GIF、WebP、BMP；文档可为 PDF、Word、Excel、PowerPoint、RTF、EPUB 或文本。",
)

# Which file it is, behind what is wrong with it.
THE_FILE = Message("The file is {name} (`{place}`).", "文件：{name}（`{place}`）。")
ONE_OF_THE_FILES = Message(
    "It is file {number} of {count}: {name} (`{place}`).",
    "这是 {count} 个文件中的第 {number} 个：{name}（`{place}`）。",
)
INLINE = Message("sent in the request itself", "随请求发送")
LINK = Message("a link", "链接")
UNNAMED = Message("without a name", "未命名")

NOT_PUBLIC = Message("The host of this address has no public address.", "该地址的主机没有公网地址。").then(
    SEND_DATA_URL,
    Message(
        "The operator can let addresses of the own network in with GLM_FILES_ALLOW_PRIVATE=1.",
        "管理员可设置 GLM_FILES_ALLOW_PRIVATE=1 以允许内网地址。",
    ),
)
# Where the operator lets them in already.
NOT_TO_BE_REACHED = Message(
    "The host of this address has no address that files may come from: its name is unknown here, or leads to "
    "one that is never used.",
    "该地址的主机没有可供获取文件的地址：本机无法解析其名字，或它指向始终禁用的地址。",
).then(SEND_DATA_URL)
WRONG_SCHEME = Message(
    "The address must begin with http://, https:// or data:.",
    "地址必须以 http://、https:// 或 data: 开头。",
).then(
    Message("A path on your own machine cannot be read from here.", "网关无法读取你本机的路径。"),
    SEND_DATA_URL,
)
PORT_CLOSED = Message(
    "Files are not fetched from port {port}. The ports are {ports} (GLM_FILES_PORTS).",
    "不从端口 {port} 获取文件。允许的端口：{ports}（GLM_FILES_PORTS）。",
)
HAS_LOGIN = Message("The address must not carry a user name or password.", "地址中不得带有用户名或密码。")
TOO_LONG = Message("The address is longer than {max_chars} characters.", "地址超过 {max_chars} 个字符。")
TOO_MANY_REDIRECTS = Message(
    "The address redirects more than {max_redirects} times.", "该地址重定向超过 {max_redirects} 次。"
)
DATA_URL_FORM = Message(
    "A data: URL must look like data:image/png;base64,....",
    "data: URL 应形如 data:image/png;base64,....。",
)
BASE64_DAMAGED = Message(
    "The base64 of this data: URL is damaged. Encode the whole file again.",
    "此 data: URL 的 base64 已损坏，请重新编码整个文件。",
)
NOT_IN_TIME = Message(
    "The file did not arrive in time (GLM_FILES_TIMEOUT_SECONDS).",
    "文件未在规定时间内到达（GLM_FILES_TIMEOUT_SECONDS）。",
).then(SEND_DATA_URL)
NOT_REACHED = Message("The file's server could not be reached.", "无法连接文件所在的服务器。").then(
    SEND_DATA_URL
)
NOT_TRUSTED = Message(
    "The file's server has no certificate that can be trusted.", "文件所在服务器的证书不受信任。"
).then(SEND_DATA_URL)
BROKEN_OFF = Message("The connection to the file's server broke.", "与文件所在服务器的连接中断。")
HTTP_REFUSED = Message(
    "The file's server answered with HTTP {status}. Check whether the address is still open to everybody.",
    "文件所在服务器返回 HTTP {status}，请检查地址是否仍可公开访问。",
)
OVER_LIMIT = Message(
    "The file is larger than the {max_bytes} bytes that are allowed. That is {size} (GLM_FILES_MAX_BYTES).",
    "文件超过允许的 {max_bytes} 字节（{size}，GLM_FILES_MAX_BYTES）。",
)
OVER_UPSTREAMS_LIMIT = Message(
    "The upstream finds the file too large. Send a smaller one.", "上游认为文件过大，请发送较小的文件。"
)
TOO_MANY = Message(
    "A message may carry {max_files} files (GLM_FILES_MAX_COUNT); this one has {count}.",
    "一条消息最多 {max_files} 个文件（GLM_FILES_MAX_COUNT），这条有 {count} 个。",
)
EMPTY = Message("The file is empty.", "文件为空。")
LOCKED = Message(
    "The file is locked by a password. Take the password off, and send it again.",
    "文件有密码保护，请去除密码后重新发送。",
)
SVG = Message(
    "SVG drawings cannot be read. Send the picture as PNG or JPEG.",
    "无法读取 SVG，请改为 PNG 或 JPEG 图片。",
)
UNKNOWN_KIND = Message(
    "This is no picture and no document that can be read.", "这不是可读取的图片或文档。"
).then(READABLE)
UNREADABLE_KIND = Message("This is a {kind}, which cannot be read.", "这是{kind}，无法读取。").then(READABLE)
WEB_PAGE = Message(
    "This is a web page, not a picture or document. The address leads to a page that shows the file, or to a "
    "login.",
    "这是网页，不是图片或文档：该地址可能是展示文件的页面，或登录页。",
)
_KINDS = {
    "PNG picture": "PNG 图片",
    "JPEG picture": "JPEG 图片",
    "GIF picture": "GIF 图片",
    "WebP picture": "WebP 图片",
    "BMP picture": "BMP 图片",
    "TIFF picture": "TIFF 图片",
    "HEIC picture": "HEIC 图片",
    "HEIF picture": "HEIF 图片",
    "AVIF picture": "AVIF 图片",
    "icon": "图标",
    "SVG drawing": "SVG 图形",
    "Photoshop file": "Photoshop 文件",
    "PDF document": "PDF 文档",
    "RTF document": "RTF 文档",
    "EPUB book": "EPUB 电子书",
    "text file": "文本文件",
    "web page": "网页",
    "Word document": "Word 文档",
    "Excel workbook": "Excel 工作簿",
    "PowerPoint presentation": "PowerPoint 演示文稿",
    "file locked by a password": "有密码保护的文件",
    "empty file": "空文件",
    "file of an unknown kind": "未知类型的文件",
    "video or sound": "音视频",
    "video": "视频",
    "sound": "音频",
    "compressed archive": "压缩包",
    "program": "程序",
}


def name_kind(label: str) -> Message:
    """The label of a kind of file (app/files/media.py) in both languages."""
    return Message(label, _KINDS.get(label, label))


NO_PICTURE = Message(
    "The file is said to be a picture, but it is a {kind}.", "文件声明为图片，实际是{kind}。"
)
NO_DOCUMENT = Message(
    "The file is said to be a document, but it is a {kind}.", "文件声明为文档，实际是{kind}。"
)
PICTURE_DAMAGED = Message(
    "The picture is damaged: its header names no width and height.", "图片已损坏：其头部没有宽度和高度。"
)
PICTURE_TOO_LARGE = Message(
    "The picture is too large: {width} x {height} pixels, where {max_pixels} in all and {max_side} a side "
    "are "
    "allowed.",
    "图片过大：{width} x {height} 像素，总像素上限 {max_pixels}，单边上限 {max_side}。",
)
REDIRECT_UNREADABLE = Message(
    "The redirect leads to no address that can be read.",
    "重定向指向无法识别的地址。",
)
HAS_CONTROLS = Message(
    "The address holds control characters.",
    "地址含有控制字符。",
)
NO_ADDRESS = Message(
    "This is no address that can be read.",
    "这不是可识别的地址。",
)
NO_PORT = Message(
    "The address has a port that is none.",
    "地址中的端口无效。",
)
HOST_UNREADABLE = Message(
    "The address names no host that can be read.",
    "地址中的主机名无法识别。",
)
NO_HOST = Message(
    "The address names no host.",
    "地址中没有主机名。",
)
ODD_V4 = Message(
    "An IP address must be spelled as four decimal numbers.",
    "IP 地址必须写成四个十进制数。",
)
ODD_V6 = Message(
    "The address holds no IPv6 address that can be read.",
    "地址中的 IPv6 地址无法识别。",
)
V6_WITH_INTERFACE = Message(
    "An IPv6 address must not name an interface.",
    "IPv6 地址不得带有网络接口名。",
)
NOT_UPSTREAMS = Message(
    "The address leads to a host that is none of the upstream's.",
    "该地址不在上游的主机上。",
)
COMPRESSED_UNASKED = Message(
    "The file's server compressed the file although it was asked not to.",
    "文件所在服务器不顾要求压缩了文件。",
)
COMPRESSED_BREAKS_OFF = Message(
    "The file's server broke off its compressed answer.",
    "文件所在服务器中断了压缩的应答。",
)
COMPRESSED_DAMAGED = Message(
    "The file's server sent compressed bytes that are damaged.",
    "文件所在服务器发来的压缩数据已损坏。",
)
NO_PICTURE_THERE = Message(
    "There is no picture at this address.",
    "该地址没有图片。",
)
NO_PICTURE_LIES_THERE = Message(
    "What lies there is no picture.",
    "该地址的内容不是图片。",
)
PICTURE_OVER_LIMIT = Message(
    "The picture is larger than {max_bytes} bytes.",
    "图片超过 {max_bytes} 字节。",
)
