# What runs in the cluster by AWS' hand, and which pods may ask AWS for what (EKS Pod Identity).

data "aws_iam_policy_document" "pod_assume" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.me.account_id]
    }
  }
}

resource "aws_iam_role" "network" {
  name               = "${var.name}-network"
  assume_role_policy = data.aws_iam_policy_document.pod_assume.json
}

resource "aws_iam_role_policy_attachment" "network" {
  role       = aws_iam_role.network.name
  policy_arn = "${local.aws_policy}/AmazonEKS_CNI_Policy"
}

# Before the nodes: those are Ready only with a network, which has rights only with the agent and finds the API server
# only by the proxy.
resource "aws_eks_addon" "network" {
  for_each = toset(["eks-pod-identity-agent", "kube-proxy", "vpc-cni"])

  cluster_name = aws_eks_cluster.weir.name
  addon_name   = each.key

  # With network policies, which Weir's manifests have, put into force.
  configuration_values = each.key == "vpc-cni" ? jsonencode({ enableNetworkPolicy = "true" }) : null

  dynamic "pod_identity_association" {
    for_each = each.key == "vpc-cni" ? ["aws-node"] : []

    content {
      service_account = pod_identity_association.value
      role_arn        = aws_iam_role.network.arn
    }
  }

  depends_on = [aws_iam_role_policy_attachment.network]
}

# After them: it needs a place to run.
resource "aws_eks_addon" "names" {
  cluster_name = aws_eks_cluster.weir.name
  addon_name   = "coredns"

  depends_on = [aws_eks_node_group.weir]
}

# External Secrets reads the settings, and nothing else.
data "aws_iam_policy_document" "settings" {
  statement {
    actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    resources = [var.settings_secret_arn]
  }

  dynamic "statement" {
    for_each = var.settings_kms_key_arn == null ? [] : [var.settings_kms_key_arn]

    content {
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role" "settings" {
  name               = "${var.name}-settings"
  assume_role_policy = data.aws_iam_policy_document.pod_assume.json
}

resource "aws_iam_role_policy" "settings" {
  name   = "read"
  role   = aws_iam_role.settings.id
  policy = data.aws_iam_policy_document.settings.json
}

resource "aws_eks_pod_identity_association" "settings" {
  cluster_name    = aws_eks_cluster.weir.name
  namespace       = "external-secrets"
  service_account = "external-secrets"
  role_arn        = aws_iam_role.settings.arn
}

# Of Weir's own pods those alone ask AWS for something that see to the archive: each function has an account of its name.
data "aws_iam_policy_document" "archive" {
  dynamic "statement" {
    for_each = var.archive_policies

    content {
      sid       = statement.key
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}

resource "aws_iam_role" "archive" {
  name               = "${var.name}-archive"
  assume_role_policy = data.aws_iam_policy_document.pod_assume.json
}

resource "aws_iam_role_policy" "archive" {
  count = length(var.archive_policies) > 0 ? 1 : 0

  name   = "archive"
  role   = aws_iam_role.archive.id
  policy = data.aws_iam_policy_document.archive.json
}

resource "aws_eks_pod_identity_association" "archive" {
  for_each = toset([for name, function in jsondecode(file(var.functions_file)) : name if function.archives])

  cluster_name    = aws_eks_cluster.weir.name
  namespace       = var.namespace
  service_account = each.key
  role_arn        = aws_iam_role.archive.arn
}
