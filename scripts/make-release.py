"""Packs what scripts/release.ts has built: make-release.py FUNCTIONS COMMAND OUT, in the root of the repository.

FUNCTIONS has a folder for each built function, and COMMAND is the package of the command. OUT gets:

- a zip of each function, and the template of the webhook's URL, each named by its content;
- the template that SAM's own translator makes of template.yaml, for plain CloudFormation and StackSets;
- template.yaml, for `sam deploy` in that folder;
- the package of the command as npm installs it.

It asks AWS nothing: every role of the template is its own, so no managed policy has to be looked up.
"""

import hashlib
import io
import json
import pathlib
import re
import struct
import sys
import tarfile
import zipfile
import zlib

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

PLAIN_TEMPLATE = "secret-relay.template.json"
SAM_TEMPLATE = "template.yaml"
PARAMETERS = {
    "CodeBucket": {
        "Type": "String",
        "Description": "Bucket of this Region with the files of the release. The functions need no right to read it.",
        "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        "ConstraintDescription": "must be the name of a bucket",
    },
    "CodePrefix": {
        "Type": "String",
        "Default": "",
        "Description": "What precedes the names of the files in that bucket, for example secret-relay/.",
        "AllowedPattern": "^$|^[A-Za-z0-9][A-Za-z0-9/_.-]*/$",
        "ConstraintDescription": "must be empty, or end with a slash",
    },
}


class NoManagedPolicies:
    def load(self):
        return {}


def name_by_content(name: str, suffix: str, content: bytes) -> str:
    """CloudFormation updates a function only if the key of its code changes, so each content has a name of its own."""
    return f"{name}-{hashlib.sha256(content).hexdigest()[:16]}{suffix}"


def files_in(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def write_zip(folder: pathlib.Path, out: pathlib.Path) -> str:
    """Stored, not compressed: a compressed zip differs between versions of zlib, and a function is less than 1 MB."""
    unnamed = out / f"{folder.name}.zip"
    with zipfile.ZipFile(unnamed, "w") as archive:
        for file in files_in(folder):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, on each system
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, file.read_bytes())
    name = name_by_content(folder.name, ".zip", unnamed.read_bytes())
    unnamed.rename(out / name)
    return name


def write_package(folder: pathlib.Path, out: pathlib.Path) -> None:
    version = json.loads((folder / "package.json").read_text("utf-8"))["version"]
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for file in files_in(folder):
            entry = tarfile.TarInfo(f"package/{file.relative_to(folder).as_posix()}")
            entry.size = file.stat().st_size
            entry.mode = 0o755 if file.parent == folder / "bin" else 0o644
            archive.addfile(entry, io.BytesIO(file.read_bytes()))
    (out / f"secret-relay-{version}.tgz").write_bytes(stored_gzip(content.getvalue()))


def stored_gzip(content: bytes) -> bytes:
    """As gzip, but stored for the same reason as a zip. RFC 1952 has the frame, and RFC 1951 the blocks (at most 65,535 bytes)."""
    largest = 0xFFFF
    blocks = [content[at : at + largest] for at in range(0, len(content), largest)]
    header = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"  # no time, no operating system
    body = b"".join(
        struct.pack("<BHH", at == len(blocks) - 1, len(block), largest - len(block)) + block
        for at, block in enumerate(blocks)
    )
    return header + body + struct.pack("<II", zlib.crc32(content), len(content) % 2**32)


def make_plain_template(zips: dict[str, str], url_template: str) -> dict:
    template = yaml_parse(pathlib.Path("template.yaml").read_text("utf-8"))
    template["Parameters"] = {**PARAMETERS, **template["Parameters"]}
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    groups.insert(0, {"Label": {"default": "Code: where the files of the release are"}, "Parameters": list(PARAMETERS)})
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::Function":
            name = zips[pathlib.PurePath(properties["CodeUri"]).name]
            properties["CodeUri"] = {"Bucket": {"Ref": "CodeBucket"}, "Key": {"Fn::Sub": "${CodePrefix}" + name}}
        if resource["Type"] == "AWS::CloudFormation::Stack":
            properties["TemplateURL"] = {
                "Fn::Sub": "https://${CodeBucket}.s3.${AWS::Region}.${AWS::URLSuffix}/${CodePrefix}" + url_template
            }
    return transform(template, {}, NoManagedPolicies())


def make_sam_template(zips: dict[str, str], url_template: str) -> str:
    """template.yaml with its comments. `sam deploy` uploads the files that it names, and needs no build."""
    text = pathlib.Path("template.yaml").read_text("utf-8")
    # `sam deploy` would also look for the files that this part names, which are for a publication of the application.
    text = re.sub(r"^  AWS::ServerlessRepo::Application:\n(?:    .*\n)+", "", text, flags=re.MULTILINE)
    for name, file in zips.items():
        text = replace_once(text, f"CodeUri: dist/{name}/\n", f"CodeUri: {file}\n")
    return replace_once(text, "TemplateURL: webhook-url.yaml", f"TemplateURL: {url_template}")


def replace_once(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise SystemExit(f"template.yaml must contain {old.strip()!r} once, but contains it {text.count(old)} times")
    return text.replace(old, new)


def main(functions: pathlib.Path, command: pathlib.Path, out: pathlib.Path) -> None:
    zips = {folder.name: write_zip(folder, out) for folder in sorted(functions.iterdir())}
    content = pathlib.Path("webhook-url.yaml").read_bytes()
    url_template = name_by_content("webhook-url", ".yaml", content)
    (out / url_template).write_bytes(content)
    text = json.dumps(make_plain_template(zips, url_template), indent=1) + "\n"
    (out / PLAIN_TEMPLATE).write_text(text, "utf-8")
    (out / SAM_TEMPLATE).write_text(make_sam_template(zips, url_template), "utf-8")
    write_package(command, out)


main(*map(pathlib.Path, sys.argv[1:]))
