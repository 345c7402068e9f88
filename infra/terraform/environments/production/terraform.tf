terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Bucket, region and key come from `-backend-config`: see docs/operate/terraform.md.
  backend "s3" {
    key          = "weir/production.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { app = "weir", environment = "production" }
  }
}
