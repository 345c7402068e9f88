resource "aws_ecr_repository" "weir" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE" # a tag that Knative resolved must not come to mean something else
  force_delete         = var.force_destroy

  encryption_configuration {
    encryption_type = "AES256"
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "weir" {
  repository = aws_ecr_repository.weir.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep enough to roll back to"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 30 }
      action       = { type = "expire" }
    }]
  })
}
