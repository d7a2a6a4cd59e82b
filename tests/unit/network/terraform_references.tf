# main.tf, and below it net/main.tf: the configuration of terraform_references.json.
resource "terraform_data" "base" { input = "b" }
module "net" {
  source = "./net"
  parent = terraform_data.base.id
  names  = toset(["a", "b"])
}
resource "terraform_data" "user" {
  input = [module.net.ids["a"], module.net.first]
}
resource "terraform_data" "c" {
  count = 2
  input = count.index
}
resource "terraform_data" "d" {
  count = 2
  input = terraform_data.c[count.index].id
}
resource "terraform_data" "either" {
  input = timestamp() == "" ? terraform_data.base.id : terraform_data.c[0].id
}
# net/main.tf
variable "parent" {}
variable "names" {}
resource "terraform_data" "g" {
  for_each = var.names
  input = var.parent
}
resource "terraform_data" "h" {
  for_each = var.names
  input = terraform_data.g[each.key].id
}
output "ids" { value = { for k, v in terraform_data.g : k => v.id } }
output "first" { value = terraform_data.g["a"].id }
