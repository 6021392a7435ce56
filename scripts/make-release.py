"""Makes the files of a release: make-release.py FUNCTIONS OUT, in the root of the repository.

FUNCTIONS has a folder for each built function. OUT gets their zips, webhook-url.yaml, monitoring.yaml, the template that
SAM's own translator makes of template.yaml, and SHA256SUMS. It asks AWS nothing: every role of the template is its own, so
no managed policy has to be looked up.
"""

import hashlib
import json
import pathlib
import sys
import zipfile

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = "secret-relay.template.json"
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


def write_zip(folder: pathlib.Path, out: pathlib.Path) -> str:
    """Stored, not compressed: a compressed zip differs between versions of zlib, and a function is less than 1 MB."""
    unnamed = out / f"{folder.name}.zip"
    with zipfile.ZipFile(unnamed, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
                entry.create_system = 3  # Unix, on each system
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, file.read_bytes())
    name = name_by_content(folder.name, ".zip", unnamed.read_bytes())
    unnamed.rename(out / name)
    return name


def make_template(zips: dict[str, str], url_template: str) -> dict:
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


def main(functions: pathlib.Path, out: pathlib.Path) -> None:
    zips = {folder.name: write_zip(folder, out) for folder in sorted(functions.iterdir())}
    content = pathlib.Path("webhook-url.yaml").read_bytes()
    url_template = name_by_content("webhook-url", ".yaml", content)
    (out / url_template).write_bytes(content)
    text = json.dumps(make_template(zips, url_template), indent=1) + "\n"
    (out / TEMPLATE).write_text(text, "utf-8")
    (out / "monitoring.yaml").write_bytes(pathlib.Path("monitoring.yaml").read_bytes())
    files = sorted(file for file in out.iterdir() if file.is_file())
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (out / "SHA256SUMS").write_text("".join(sums), "utf-8")
    print(f"{out}: {', '.join(file.name for file in files)}", file=sys.stderr)


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
