# What the image pipeline can be told. Only the first four have no default. `ami/build` gives `account_scope`,
# `gild`, `notify_config` and `output`.

variable "app" {
  type        = string
  description = "The service that the image is of: a part of its name, and its tag `app`."
}

variable "version" {
  type        = string
  description = "The service's version: the end of the image's name, and its tag `version`."
}

variable "packages" {
  type        = string
  description = "The directory of this host that holds gild's packages, one for each system and processor."
}

variable "config" {
  type        = string
  description = "The image layer: a document of this host that becomes /usr/lib/gild/config.d/10-image, in its format."
}

variable "region" {
  type        = string
  default     = ""
  description = "Where the image is built. Empty: as the AWS environment says."
}

variable "revision" {
  type        = string
  default     = ""
  description = "The commit that the image is built from: its tag `revision`."
}

variable "tags" {
  type        = map(string)
  default     = {}
  description = "More tags for the image, its snapshots and the instance that it is built on."
}

variable "name_parts" {
  type = map(string)
  default = {
    "al2023-arm64"  = ""
    "al2023-x86_64" = "-x86_64"
    "al2-arm64"     = "-al2-arm64"
    "al2-x86_64"    = "-al2-x86_64"
  }
  description = "What stands between `app` and `version` in the image's name, for each source: no two images have one name."
}

variable "account_scope" {
  type        = string
  default     = "{}"
  description = "The account scope's document as YAML or JSON. Its `ami` table, or else its own keys, give what the next four leave empty: regions, accounts, snapshot_accounts, kms_key_id."

  # What cannot be read would share the image with nobody, and say nothing.
  validation {
    condition     = can(keys(yamldecode(var.account_scope)))
    error_message = "The account_scope must be a document in YAML or JSON."
  }
}

variable "ami_regions" {
  type        = list(string)
  default     = []
  description = "The regions that the image is copied to."
}

variable "ami_accounts" {
  type        = list(string)
  default     = []
  description = "The accounts that may start instances of the image."
}

variable "snapshot_accounts" {
  type        = list(string)
  default     = []
  description = "The accounts that may copy its snapshots. Empty: those of `ami_accounts`."
}

variable "kms_key_id" {
  type        = string
  default     = ""
  description = "The key that the snapshots are encrypted with. An image that is shared has no key: other accounts could not start it."
}

variable "replace" {
  type        = bool
  default     = false
  description = "Whether an image of the same name is removed first. A version is built once; this is for trying."
}

variable "spot" {
  type        = bool
  default     = true
  description = "Whether the builders are spot instances, at no more than the usual price."
}

variable "instance_types" {
  type = map(string)
  default = {
    arm64  = "t4g.small"
    x86_64 = "t3.small"
  }
  description = "The instance type of the builders, by processor."
}

variable "source_ami" {
  type        = string
  default     = ""
  description = "The image to start from. Empty: the newest of Amazon's for each source."
}

variable "instance_profile" {
  type        = string
  default     = ""
  description = "The profile of the instance that the image is built on: with it `gild bake` reads the playbook and the vault's password."
}

variable "subnet_id" {
  type        = string
  default     = ""
  description = "The subnet of the builders. Empty: the default one."
}

variable "hop_limit" {
  type        = number
  default     = 1
  description = "How many hops an answer of the metadata service may take, during the build. Two where containers ask."
}

variable "ssh_username" {
  type        = string
  default     = "ec2-user"
  description = "The user of the builders."
}

variable "output" {
  type        = string
  default     = "."
  description = "The directory of this host where manifest.json and each build's report are written."
}

variable "gild" {
  type        = string
  default     = "gild"
  description = "The gild of this host, which tells of the image."
}

variable "notify_config" {
  type        = string
  default     = ""
  description = "A document of this host with [notify], for those who are told of the image. Empty: this host's own configuration."
}

# For a stand-in of EC2 with a machine of its own.

variable "ec2_endpoint" {
  type        = string
  default     = ""
  description = "Another address of EC2."
}

variable "ssh_host" {
  type        = string
  default     = ""
  description = "Another address of the builder."
}

variable "ssh_port" {
  type        = number
  default     = 22
  description = "The port of its SSH server."
}

variable "ssh_keypair_name" {
  type        = string
  default     = ""
  description = "A key pair that exists, instead of one for the build alone."
}

variable "ssh_private_key_file" {
  type        = string
  default     = ""
  description = "Its private key."
}
