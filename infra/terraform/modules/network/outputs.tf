output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.weir.id
}

output "cidr" {
  description = "Its addresses."
  value       = aws_vpc.weir.cidr_block
}

output "private_subnet_ids" {
  description = "Where functions, stores and nodes are."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "public_subnet_ids" {
  description = "Where NAT gateways and load balancers are."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "nat_addresses" {
  description = "The addresses that deliveries come from, for whoever has to let them in."
  value       = [for address in aws_eip.nat : address.public_ip]
}

output "way_ids" {
  description = "What the private subnets need to reach anything outside of them."
  value = concat(
    [for route in aws_route.out : route.id],
    [for association in aws_route_table_association.private : association.id],
    [for endpoint in aws_vpc_endpoint.interface : endpoint.id],
    [aws_vpc_security_group_ingress_rule.endpoints.id],
  )
}
