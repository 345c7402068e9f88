# Programs that are built from Go modules by `make build/tools/NAME`, each at one version.
TOOL_actionlint := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
TOOL_cosign := github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
TOOL_crane := github.com/google/go-containerregistry/cmd/crane@v0.22.1
TOOL_gitleaks := github.com/zricethezav/gitleaks/v8@v8.30.1
TOOL_kubeconform := github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
TOOL_kustomize := sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
