output "cluster_name" {
  description = "The cluster."
  value       = aws_eks_cluster.weir.name
}

output "security_group_id" {
  description = "The group that nodes and pods are in: the stores let it in."
  value       = aws_eks_cluster.weir.vpc_config[0].cluster_security_group_id
}

output "repository_url" {
  description = "Where the image is pushed to."
  value       = aws_ecr_repository.weir.repository_url
}

output "kubeconfig" {
  description = "For kubectl; whoever uses it signs in by their own AWS credentials."
  value = yamlencode({
    apiVersion      = "v1"
    kind            = "Config"
    current-context = aws_eks_cluster.weir.name
    clusters = [{
      name = aws_eks_cluster.weir.name
      cluster = {
        server                     = aws_eks_cluster.weir.endpoint
        certificate-authority-data = aws_eks_cluster.weir.certificate_authority[0].data
      }
    }]
    contexts = [{
      name    = aws_eks_cluster.weir.name
      context = { cluster = aws_eks_cluster.weir.name, user = aws_eks_cluster.weir.name, namespace = var.namespace }
    }]
    users = [{
      name = aws_eks_cluster.weir.name
      user = {
        exec = {
          apiVersion = "client.authentication.k8s.io/v1beta1"
          command    = "aws"
          args       = ["eks", "get-token", "--region", data.aws_region.here.name, "--cluster-name", aws_eks_cluster.weir.name]
        }
      }
    }]
  })
}

output "settings_manifest" {
  description = "For kubectl: makes the Secret `weir-settings` of what is in Secrets Manager, by External Secrets."
  value       = join("---\n", [for document in local.settings_manifest : yamlencode(document)])
}

locals {
  settings_manifest = [
    {
      apiVersion = "external-secrets.io/v1"
      kind       = "ClusterSecretStore"
      metadata   = { name = "weir" }
      spec = {
        # Without `auth` it signs in as its own pod, which Pod Identity gave the role.
        provider   = { aws = { service = "SecretsManager", region = data.aws_region.here.name } }
        conditions = [{ namespaces = [var.namespace] }]
      }
    },
    {
      apiVersion = "external-secrets.io/v1"
      kind       = "ExternalSecret"
      metadata   = { name = "weir-settings", namespace = var.namespace }
      spec = {
        refreshInterval = "1h0m0s"
        secretStoreRef  = { kind = "ClusterSecretStore", name = "weir" }
        target          = { name = "weir-settings" }
        dataFrom        = [{ extract = { key = var.settings_secret_arn } }]
      }
    },
  ]
}
