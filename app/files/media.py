"""What a file is, judged by its bytes. Pure.

A table of our own instead of a library: it holds what the upstream reads and what users most often send by
mistake, and nothing else can be told from it than one of these names (docs/decisions/0007).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from app.files import compound
from app.files.text import begins_as_text, is_text

HEAD_BYTES = 4096
TAIL_BYTES = 65536


class Media(msgspec.Struct, frozen=True):
    """A kind of file. The first extension is the usual one."""

    type: str
    label: str
    extensions: tuple[str, ...]
    is_picture: bool = False
    is_readable: bool = True
    """False where the upstream is not known to take it."""


PNG = Media("image/png", "PNG picture", ("png",), is_picture=True)
JPEG = Media("image/jpeg", "JPEG picture", ("jpg", "jpeg", "jfif"), is_picture=True)
GIF = Media("image/gif", "GIF picture", ("gif",), is_picture=True)
WEBP = Media("image/webp", "WebP picture", ("webp",), is_picture=True)
BMP = Media("image/bmp", "BMP picture", ("bmp", "dib"), is_picture=True)
PDF = Media("application/pdf", "PDF document", ("pdf",))
RTF = Media("application/rtf", "RTF document", ("rtf",))
EPUB = Media("application/epub+zip", "EPUB book", ("epub",))
TEXT = Media("text/plain", "text file", ("txt",))
HTML = Media("text/html", "web page", ("html", "htm"))
DOC = Media("application/msword", "Word document", ("doc",))
XLS = Media("application/vnd.ms-excel", "Excel workbook", ("xls",))
PPT = Media("application/vnd.ms-powerpoint", "PowerPoint presentation", ("ppt",))
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = Media(_OFFICE + "wordprocessingml.document", "Word document", ("docx",))
XLSX = Media(_OFFICE + "spreadsheetml.sheet", "Excel workbook", ("xlsx",))
PPTX = Media(_OFFICE + "presentationml.presentation", "PowerPoint presentation", ("pptx",))
LOCKED = Media("application/encrypted", "file locked by a password", (), is_readable=False)
SVG = Media("image/svg+xml", "SVG drawing", ("svg", "svgz"), is_readable=False)
EMPTY = Media("inode/x-empty", "empty file", (), is_readable=False)
UNKNOWN = Media("application/octet-stream", "file of an unknown kind", (), is_readable=False)

# Text in all its forms; the bytes cannot tell them apart, so the name may.
_TEXT_TYPES = {
    "md": "text/markdown",
    "markdown": "text/markdown",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "xml": "application/xml",
    "yaml": "text/yaml",
    "yml": "text/yaml",
    "js": "text/javascript",
    "css": "text/css",
    "py": "text/x-python",
} | dict.fromkeys(
    (
        "txt",
        "log",
        "ts",
        "java",
        "c",
        "h",
        "cpp",
        "go",
        "rs",
        "sh",
        "sql",
        "ini",
        "toml",
        "conf",
        "tex",
        "srt",
    ),
    "text/plain",
)

_SIGNATURES: tuple[tuple[bytes, Media], ...] = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"{\\rtf", RTF),
)
_UNREADABLE: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"II*\x00", "image/tiff", "TIFF picture"),
    (0, b"MM\x00*", "image/tiff", "TIFF picture"),
    (0, b"\x00\x00\x01\x00", "image/x-icon", "icon"),
    (0, b"8BPS", "image/vnd.adobe.photoshop", "Photoshop file"),
    (4, b"ftypheic", "image/heic", "HEIC picture"),
    (4, b"ftypheix", "image/heic", "HEIC picture"),
    (4, b"ftypmif1", "image/heif", "HEIF picture"),
    (4, b"ftypavif", "image/avif", "AVIF picture"),
    (4, b"ftyp", "video/mp4", "video or sound"),
    (0, b"\x1aE\xdf\xa3", "video/webm", "video"),
    (0, b"ID3", "audio/mpeg", "sound"),
    (0, b"OggS", "audio/ogg", "sound"),
    (0, b"RIFF", "audio/wav", "video or sound"),
    (0, b"\x1f\x8b", "application/gzip", "compressed archive"),
    (0, b"7z\xbc\xaf", "application/x-7z-compressed", "compressed archive"),
    (0, b"Rar!", "application/vnd.rar", "compressed archive"),
    (0, b"MZ", "application/x-msdownload", "program"),
    (0, b"\x7fELF", "application/x-executable", "program"),
)
# Names that the parts of a packed document have; the order of the parts is free.
_PACKED: tuple[tuple[bytes, Media], ...] = (
    (b"word/", DOCX),
    (b"xl/", XLSX),
    (b"ppt/", PPTX),
    (b"application/epub+zip", EPUB),
)
_ZIP_LISTED = re.compile(rb"PK\x01\x02")
_PDF_MARK = b"%PDF-"
# What a text that speaks of such a file does not go on with.
_REAL_PDF = re.compile(rb"%PDF-\d\.\d[ \t]*[\r\n]")
_REAL_RTF = re.compile(rb"\{\\rtf\d?\s*[\\{]")
_MARK_BEFORE = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>|<!--.*?-->|\s)*", re.DOTALL)
_HTML_BEGINS = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|title)\b", re.IGNORECASE)
_SVG_BEGINS = re.compile(rb"<(?:!doctype\s+svg|svg)\b", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")


def recognise(
    head: bytes, tail: bytes, extension: str, *, says_text: bool = False, is_own_text: bool = False
) -> Media:
    """What begins with `head` and ends with `tail`; the extension only tells apart what the bytes cannot.

    `tail` may hold the directory of an old Office file as well (app/files/compound.py). `says_text`: the name
    or the media type is a text's; then text is known by less. `is_own_text`: and a person said so, not a web
    server, so that a page or a drawing is the text of one.
    """
    if not head:
        return EMPTY
    if not begins_as_text(head):
        found = _recognise_binary(head, tail, extension)
        if found is not None:
            return found
    elif not is_text(head, says_text=says_text):
        return PDF if _begins_pdf(head, extension) else UNKNOWN
    return _recognise_text(head, extension, says_text=says_text, is_own_text=is_own_text)


def extension_of(name: str) -> str:
    """Without its dot, in lower case; empty where there is none."""
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem and extension.isalnum() and len(extension) <= 10 else ""


def has_signature(head: bytes) -> bool:
    """Whether these bytes are a file by themselves, whatever it is called, and no text."""
    if head.startswith(_PDF_MARK):
        return True
    return not begins_as_text(head) and _recognise_binary(head, b"", "") is not None


def says_picture(extension: str) -> bool:
    """Whether a name with this extension says that it is a picture."""
    return extension in _PICTURE_EXTENSIONS


def says_document(extension: str) -> bool:
    """Whether a name with this extension says that it is one of the documents with bytes of their own."""
    return extension in _DOCUMENT_EXTENSIONS


def is_media_type(text: str) -> bool:
    """Whether this is a media type without parameters, in lower case."""
    return _MEDIA_TYPE.fullmatch(text) is not None


def media_type_says_picture(media_type: str) -> bool:
    return media_type.startswith("image/")


def extension_for(media_type: str) -> str:
    """The usual extension for a media type, empty where none is known."""
    return _BY_TYPE.get(media_type, "")


def says_text(extension: str, media_type: str) -> bool:
    """Whether a name with this extension, or a media type, says that it is a text."""
    return extension in _TEXT_TYPES or extension in HTML.extensions or media_type.startswith("text/")


def _recognise_binary(head: bytes, tail: bytes, extension: str) -> Media | None:
    """None where it may still be text, if a strange one."""
    for signature, media in _SIGNATURES:
        if head.startswith(signature):
            return media
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return BMP
    if _PDF_MARK in head[:1024]:
        return PDF
    return _recognise_container(head, tail, extension)


def _recognise_container(head: bytes, tail: bytes, extension: str) -> Media | None:
    if head.startswith(b"PK\x03\x04"):
        return _recognise_archive(head, tail)
    if head.startswith(compound.MAGIC):
        if compound.is_locked(head, tail):
            return LOCKED
        return _OLD_OFFICE[compound.find_kind(tail, extension)]
    for offset, signature, media_type, label in _UNREADABLE:
        if head[offset : offset + len(signature)] == signature:
            return Media(media_type, label, (), is_readable=False)
    return None


def _recognise_archive(head: bytes, tail: bytes) -> Media:
    if _is_locked_archive(head, tail):
        return LOCKED
    for part, media in _PACKED:
        if part in head or part in tail:
            return media
    return Media("application/zip", "compressed archive", ("zip",), is_readable=False)


def _is_locked_archive(head: bytes, tail: bytes) -> bool:
    """Whether an entry is encrypted: a bit of its head, here or in the list at the end (APPNOTE 4.4.4)."""
    flags = [head[6:7], *[tail[match.end() + 4 : match.end() + 5] for match in _ZIP_LISTED.finditer(tail)]]
    return any(flag and flag[0] & 1 for flag in flags)


def _begins_pdf(head: bytes, extension: str) -> bool:
    """A PDF begins with lines of text, and some mail programs leave words before it; then come bytes."""
    begin = head[:1024]
    return _REAL_PDF.search(begin) is not None or (_PDF_MARK in begin and extension in PDF.extensions)


def _recognise_text(head: bytes, extension: str, *, says_text: bool, is_own_text: bool) -> Media:
    if _PDF_MARK in head[:1024] and extension in PDF.extensions:
        return PDF
    if head.startswith(_PDF_MARK) and (not says_text or (_REAL_PDF.match(head) and b" obj" in head)):
        return PDF
    if head.startswith(b"{\\rtf") and (not says_text or _REAL_RTF.match(head)):
        return RTF
    if not is_own_text and (marked := _recognise_markup(head)):
        return marked
    if not is_text(head, says_text=says_text):
        return UNKNOWN
    if says_text and extension in HTML.extensions:
        return HTML
    known = _TEXT_TYPES.get(extension)
    return Media(known, TEXT.label, (extension,)) if known else TEXT


def _recognise_markup(head: bytes) -> Media | None:
    mark = _MARK_BEFORE.match(head)
    start = head[mark.end() if mark else 0 :]
    if _SVG_BEGINS.match(start) or (b"<svg" in head[:1024].lower() and head.lstrip().startswith(b"<?xml")):
        return SVG
    return HTML if _HTML_BEGINS.match(start) else None


_OLD_OFFICE: Mapping[str, Media] = {"doc": DOC, "xls": XLS, "ppt": PPT}
_WITH_SIGNATURE = (PDF, RTF, EPUB, DOC, XLS, PPT, DOCX, XLSX, PPTX)
_PICTURES = (PNG, JPEG, GIF, WEBP, BMP)
_PICTURE_EXTENSIONS = {extension for media in (*_PICTURES, SVG) for extension in media.extensions} | {
    "tif", "tiff", "heic", "heif", "avif", "ico", "psd",
}  # fmt: skip
_DOCUMENT_EXTENSIONS = {extension for media in _WITH_SIGNATURE for extension in media.extensions}
_BY_TYPE = {
    **{media_type: extension for extension, media_type in reversed(_TEXT_TYPES.items())},
    **{media.type: media.extensions[0] for media in (*_PICTURES, *_WITH_SIGNATURE, HTML, TEXT, SVG)},
    "image/jpg": "jpg",
}
