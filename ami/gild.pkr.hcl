# From Amazon's image to one that carries gild and a service: install the package, bake, seal, tell.
# Nothing here is a secret, and none passes through Packer: the instance asks for them with its own role.
#
# To add a system or a processor: a source in `build`, and its names in `name_parts` and `instance_types`.

locals {
  # Each reads the document anew: a local that hides its errors must not depend on another one.
  regions = length(var.ami_regions) > 0 ? var.ami_regions : try(
    yamldecode(var.account_scope).ami.regions, yamldecode(var.account_scope).ami_regions, []
  )
  accounts = length(var.ami_accounts) > 0 ? var.ami_accounts : try(
    yamldecode(var.account_scope).ami.accounts, yamldecode(var.account_scope).ami_accounts,
    yamldecode(var.account_scope).share_accounts, []
  )
  snapshot_accounts = length(var.snapshot_accounts) > 0 ? var.snapshot_accounts : try(
    yamldecode(var.account_scope).ami.snapshot_accounts, yamldecode(var.account_scope).snapshot_accounts,
    local.accounts
  )
  kms_key = var.kms_key_id != "" ? var.kms_key_id : try(
    yamldecode(var.account_scope).ami.kms_key_id, yamldecode(var.account_scope).kms_key_id, ""
  )
  is_shared = length(local.accounts) > 0 || length(local.snapshot_accounts) > 0

  started   = timestamp()
  timestamp = formatdate("YYYYMMDDhhmmss", local.started)
  notify    = var.notify_config != "" ? "--config '${var.notify_config}'" : ""
  # Where the builder's own files are until it is sealed.
  place = "/tmp/gild-bake"
  tags = merge(var.tags, {
    app       = var.app
    version   = var.version
    timestamp = local.timestamp
    revision  = var.revision
  })
  amazon = {
    "al2023-arm64"  = "al2023-ami-2023.*-kernel-*-arm64"
    "al2023-x86_64" = "al2023-ami-2023.*-kernel-*-x86_64"
    "al2-arm64"     = "amzn2-ami-hvm-2.0.*-arm64-gp2"
    "al2-x86_64"    = "amzn2-ami-hvm-2.0.*-x86_64-gp2"
  }
}

source "amazon-ebs" "gild" {
  region               = var.region
  source_ami           = var.source_ami
  spot_price           = var.spot ? "auto" : ""
  iam_instance_profile = var.instance_profile
  subnet_id            = var.subnet_id
  custom_endpoint_ec2  = var.ec2_endpoint

  skip_credential_validation = var.ec2_endpoint != ""
  skip_region_validation     = var.ec2_endpoint != ""

  communicator         = "ssh"
  ssh_username         = var.ssh_username
  ssh_host             = var.ssh_host
  ssh_port             = var.ssh_port
  ssh_keypair_name     = var.ssh_keypair_name
  ssh_private_key_file = var.ssh_private_key_file
  ssh_timeout          = "5m"

  ami_description       = "Image of ${var.app} version ${var.version} timestamp ${local.timestamp}"
  ami_regions           = local.regions
  ami_users             = local.accounts
  snapshot_users        = local.snapshot_accounts
  encrypt_boot          = local.is_shared ? false : local.kms_key != "" ? true : null
  kms_key_id            = local.is_shared ? "" : local.kms_key
  force_deregister      = var.replace
  force_delete_snapshot = var.replace

  # From Packer 1.7. Version 2 of the metadata service alone, also on what is started from the image. The instance's
  # tags are there too, where gild reads the service scope: that is of the builder, and a launch template must say it again.
  imds_support = "v2.0"
  # Nobody but this host reaches the builder.
  temporary_security_group_source_public_ip = true

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = var.hop_limit
    instance_metadata_tags      = "enabled"
  }
  # Until here.
}

build {
  source "amazon-ebs.gild" {
    name          = "al2023-arm64"
    instance_type = var.instance_types["arm64"]
    ami_name      = "${var.app}${var.name_parts["al2023-arm64"]}-${var.version}"
    tags          = merge(local.tags, { Name = "${var.app}${var.name_parts["al2023-arm64"]}-${var.version}", base = "al2023-arm64" })
    snapshot_tags = merge(local.tags, { Name = "${var.app}${var.name_parts["al2023-arm64"]}-${var.version}", base = "al2023-arm64" })
    run_tags      = merge(local.tags, { Name = "bake ${var.app}${var.name_parts["al2023-arm64"]}-${var.version}" })

    source_ami_filter {
      owners      = ["amazon"]
      most_recent = true
      filters = {
        name                = local.amazon["al2023-arm64"]
        virtualization-type = "hvm"
        root-device-type    = "ebs"
      }
    }
  }

  source "amazon-ebs.gild" {
    name          = "al2023-x86_64"
    instance_type = var.instance_types["x86_64"]
    ami_name      = "${var.app}${var.name_parts["al2023-x86_64"]}-${var.version}"
    tags          = merge(local.tags, { Name = "${var.app}${var.name_parts["al2023-x86_64"]}-${var.version}", base = "al2023-x86_64" })
    snapshot_tags = merge(local.tags, { Name = "${var.app}${var.name_parts["al2023-x86_64"]}-${var.version}", base = "al2023-x86_64" })
    run_tags      = merge(local.tags, { Name = "bake ${var.app}${var.name_parts["al2023-x86_64"]}-${var.version}" })

    source_ami_filter {
      owners      = ["amazon"]
      most_recent = true
      filters = {
        name                = local.amazon["al2023-x86_64"]
        virtualization-type = "hvm"
        root-device-type    = "ebs"
      }
    }
  }

  source "amazon-ebs.gild" {
    name          = "al2-arm64"
    instance_type = var.instance_types["arm64"]
    ami_name      = "${var.app}${var.name_parts["al2-arm64"]}-${var.version}"
    tags          = merge(local.tags, { Name = "${var.app}${var.name_parts["al2-arm64"]}-${var.version}", base = "al2-arm64" })
    snapshot_tags = merge(local.tags, { Name = "${var.app}${var.name_parts["al2-arm64"]}-${var.version}", base = "al2-arm64" })
    run_tags      = merge(local.tags, { Name = "bake ${var.app}${var.name_parts["al2-arm64"]}-${var.version}" })

    source_ami_filter {
      owners      = ["amazon"]
      most_recent = true
      filters = {
        name                = local.amazon["al2-arm64"]
        virtualization-type = "hvm"
        root-device-type    = "ebs"
      }
    }
  }

  source "amazon-ebs.gild" {
    name          = "al2-x86_64"
    instance_type = var.instance_types["x86_64"]
    ami_name      = "${var.app}${var.name_parts["al2-x86_64"]}-${var.version}"
    tags          = merge(local.tags, { Name = "${var.app}${var.name_parts["al2-x86_64"]}-${var.version}", base = "al2-x86_64" })
    snapshot_tags = merge(local.tags, { Name = "${var.app}${var.name_parts["al2-x86_64"]}-${var.version}", base = "al2-x86_64" })
    run_tags      = merge(local.tags, { Name = "bake ${var.app}${var.name_parts["al2-x86_64"]}-${var.version}" })

    source_ami_filter {
      owners      = ["amazon"]
      most_recent = true
      filters = {
        name                = local.amazon["al2-x86_64"]
        virtualization-type = "hvm"
        root-device-type    = "ebs"
      }
    }
  }

  provisioner "shell" {
    inline = ["mkdir -m 0700 ${local.place}"]
  }

  provisioner "file" {
    source      = "${path.root}/install.sh"
    destination = "${local.place}/install.sh"
  }

  provisioner "file" {
    source      = "${var.packages}/"
    destination = "${local.place}"
  }

  provisioner "file" {
    source      = var.config
    destination = "${local.place}/${basename(var.config)}"
  }

  # What came of the bake is fetched before a failed one ends the build: it says which task failed.
  provisioner "shell" {
    inline = [
      "cd ${local.place}",
      "sudo sh ./install.sh '${basename(var.config)}'",
      "code=0",
      "sudo gild bake --name '${var.app}' --version '${var.version}' --base '${source.name}' --revision '${var.revision}' || code=$?",
      "echo \"$code\" >code",
      "sudo cat /run/gild/report.json >report.json || echo '{}' >report.json",
    ]
  }

  provisioner "file" {
    direction   = "download"
    source      = "${local.place}/report.json"
    destination = "${var.output}/report-${source.name}.json"
  }

  provisioner "shell" {
    inline = [
      "code=$(cat ${local.place}/code)",
      "rm -r ${local.place}",
      "[ \"$code\" = 0 ] || exit \"$code\"",
      "sudo gild seal",
    ]
  }

  post-processor "manifest" {
    output = "${var.output}/manifest.json"
    custom_data = {
      app      = var.app
      version  = var.version
      base     = "${source.name}"
      revision = var.revision
      started  = local.started
    }
  }

  # An image that exists is no failure because nobody could be told of it.
  post-processor "shell-local" {
    inline = [
      "'${var.gild}' notify packer-manifest '${var.output}/manifest.json' --build \"$PACKER_BUILD_NAME\" ${local.notify} || echo 'the image is made, and not everybody was told of it' >&2",
    ]
  }
}
