output "weir" {
  description = "Addresses and names: `terraform output -json weir`."
  value       = module.weir
}
