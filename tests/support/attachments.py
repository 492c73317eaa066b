"""Attach to an IAM user of the mocked account everything that prevents DeleteUser."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from moto.iam.models import AWSManagedPolicy, iam_backends

from support.world import ACCOUNT, World

QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
DENIAL = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


def quarantine(world: World, iam_user: str) -> None:
    """Attach what AWS attaches to the user of an exposed key. Moto has no AWS managed policies."""
    data = {"Arn": QUARANTINE, "Path": "/", "CreateDate": "2024-10-02T00:00:00+00:00", "DefaultVersionId": "v1"}
    data |= {"UpdateDate": data["CreateDate"], "Document": DENIAL}
    policy = AWSManagedPolicy.from_data("AWSCompromisedKeyQuarantineV3", ACCOUNT, "aws", data)
    iam_backends[ACCOUNT]["aws"].managed_policies[QUARANTINE] = policy
    world.iam.attach_user_policy(UserName=iam_user, PolicyArn=QUARANTINE)


def attach_everything(world: World, iam_user: str) -> None:
    """All but a group: AWS attaches a quarantine policy to the user of an exposed key, people attach the rest."""
    iam = world.iam
    policy = json.dumps(DENIAL)
    arn = iam.create_policy(PolicyName="AWSCompromisedKeyQuarantine", PolicyDocument=policy)["Policy"]["Arn"]
    iam.attach_user_policy(UserName=iam_user, PolicyArn=arn)
    iam.put_user_policy(UserName=iam_user, PolicyName="by-hand", PolicyDocument=policy)
    iam.create_login_profile(UserName=iam_user, Password="Str0ng-and-long!")
    enable_mfa(world, iam_user)
    iam.upload_ssh_public_key(UserName=iam_user, SSHPublicKeyBody="ssh-rsa AAAA")
    iam.upload_signing_certificate(UserName=iam_user, CertificateBody=make_certificate())
    world.gaps.service_credentials[iam_user] = ["ACCAEXAMPLE1234567890"]


def enable_mfa(world: World, iam_user: str) -> str:
    """Returns the serial number of the new virtual device."""
    device = world.iam.create_virtual_mfa_device(VirtualMFADeviceName="mfa")["VirtualMFADevice"]["SerialNumber"]
    world.iam.enable_mfa_device(
        UserName=iam_user, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="234567"
    )
    return str(device)


def make_certificate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.com")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2036, 1, 1, tzinfo=UTC)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
