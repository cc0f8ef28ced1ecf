"""Amazon Web Services: machines of EC2, on demand and spot. Of boto3, nothing is loaded before it is used."""

from cloudtui_providers.aws.provider import Aws

__all__ = ["Aws"]
