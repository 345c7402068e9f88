# What moto forgets: that insights are wanted, what a parameter group holds, what a rule is for.

resource "aws_db_instance" "weir" {
  lifecycle {
    ignore_changes = [performance_insights_enabled, performance_insights_retention_period]
  }
}

resource "aws_db_parameter_group" "weir" {
  lifecycle {
    ignore_changes = [parameter]
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  lifecycle {
    ignore_changes = [description]
  }
}
