# The group that EKS makes for a cluster, and moto does not.

resource "aws_security_group" "stands_in" {
  name        = "${var.name}-cluster"
  description = "Nodes and pods of ${var.name}"
}
