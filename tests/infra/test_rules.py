"""The rules find what they are for."""

import json
from typing import Any

import pytest

from tests.infra.rules import Resource, faults


def policy(**statement: Any) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", **statement}]})


ROLE = "aws_iam_role_policy"


@pytest.mark.parametrize(
    ("kind", "values", "fault"),
    [
        (ROLE, {"policy": policy(Action="*", Resource="arn:aws:s3:::x")}, "allows *"),
        (ROLE, {"policy": policy(Action=["s3:*"], Resource="arn:aws:s3:::x")}, "allows s3:*"),
        (ROLE, {"policy": policy(Action="s3:GetObject", Resource="*")}, "allows s3:GetObject on everything"),
        (ROLE, {"policy": policy(NotAction="iam:*", Resource="arn:aws:s3:::x")}, "allows all but something"),
        (
            "aws_sqs_queue_policy",
            {"policy": policy(Action="sqs:SendMessage", Resource="arn:aws:sqs:::x", Principal="*")},
            "allows anybody",
        ),
        ("aws_db_instance", {"storage_encrypted": False}, "storage_encrypted is not set"),
        (
            "aws_db_instance",
            {"storage_encrypted": True, "publicly_accessible": True},
            "is reached from the internet",
        ),
        ("aws_sqs_queue", {"sqs_managed_sse_enabled": False}, "sqs_managed_sse_enabled is not set"),
        ("aws_sns_topic", {"kms_master_key_id": ""}, "is not encrypted"),
        (
            "aws_vpc_security_group_ingress_rule",
            {"cidr_ipv4": "0.0.0.0/0", "from_port": 5432, "to_port": 5432},
            "lets everybody in at (5432, 5432)",
        ),
        (
            "aws_eks_cluster",
            {
                "encryption_config": [{}],
                "vpc_config": [{"endpoint_public_access": True, "public_access_cidrs": ["0.0.0.0/0"]}],
            },
            "has an API server that everybody reaches",
        ),
        ("aws_db_parameter_group", {"parameter": []}, "lets connections in the clear in"),
        ("aws_cloudwatch_log_group", {"retention_in_days": 0}, "is kept for ever"),
    ],
)
def test_a_fault_is_found(kind: str, values: dict[str, Any], fault: str) -> None:
    assert faults([Resource(f"{kind}.x", kind, values)]) == [f"{kind}.x: {fault}"]


def test_a_bucket_needs_what_stands_beside_it() -> None:
    assert faults([Resource("aws_s3_bucket.x", "aws_s3_bucket", {})]) == [
        "aws_s3_bucket.x: may become public",
        "aws_s3_bucket.x: is not encrypted",
        "aws_s3_bucket.x: keeps no version of what is replaced",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        {"Sid": "Vpc", "Action": "ec2:DescribeSubnets", "Resource": "*"},
        {"Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-central-1:1:x"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Principal": "*"},
    ],
)
def test_what_is_right_is_let_be(statement: dict[str, Any]) -> None:
    assert faults([Resource("aws_iam_role_policy.x", ROLE, {"policy": policy(**statement)})]) == []
