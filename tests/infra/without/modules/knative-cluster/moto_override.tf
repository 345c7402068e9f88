# moto knows clusters and groups of nodes of EKS, but neither who has access, nor add-ons, nor the identity of pods.

resource "aws_eks_access_entry" "administrator" {
  for_each = {}
}

resource "aws_eks_access_policy_association" "administrator" {
  for_each = {}
}

resource "aws_eks_addon" "network" {
  for_each = {}
}

resource "aws_eks_addon" "names" {
  count = 0
}

resource "aws_eks_pod_identity_association" "settings" {
  count = 0
}

resource "aws_eks_pod_identity_association" "archive" {
  for_each = toset([])
}

# And forgets of a cluster how one signs in, how it is upgraded, and all of its network but what it was told.
resource "aws_eks_cluster" "weir" {
  lifecycle {
    ignore_changes = [access_config, bootstrap_self_managed_addons, upgrade_policy, vpc_config]
  }
}

output "security_group_id" {
  value = aws_security_group.stands_in.id
}

# Of nodes it forgets what they are made by.
resource "aws_launch_template" "node" {
  lifecycle {
    ignore_changes = all
  }
}

resource "aws_eks_node_group" "weir" {
  lifecycle {
    ignore_changes = all
  }
}
